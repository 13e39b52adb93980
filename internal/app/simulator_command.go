package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

type simulatorCommand struct {
	jsonFlag
	Listen     string        `default:"127.0.0.1:8081" help:"Address to serve on; port 0 takes any free one. Default: ${default}." placeholder:"ADDR"`
	Setting    []string      `help:"How the simulated iyzico behaves where theirs is undocumented, as in --setting secondAuth=pays-again. May be repeated; a wrong one lists what there is." placeholder:"K=V" sep:"none"`
	Faults     string        `help:"Dials to begin with, as for POST /_simulator/faults: '{\"authLostAfter\":0.1}'." placeholder:"JSON"`
	Settle     time.Duration `help:"Time from auth to a settled batch. Default: 800ms." placeholder:"DURATION"`
	Commission string        `help:"Commission of an item. Default: 20.00." placeholder:"AMOUNT"`
	Seed       uint64        `default:"1" help:"Seed of every chance the simulator takes. Default: ${default}." placeholder:"N"`
}

// Help says more than the line in the list of commands.
func (*simulatorCommand) Help() string {
	return `Serves iyzico's Mass Payout API without moving money, until it is interrupted. It verifies signatures with the keys of the merchants in --config; without a configuration there is one merchant with API key sandbox-key and secret key sandbox-secret.

  GET  /_simulator/books    every transfer, so that a double payment shows as two
  GET  /_simulator/faults   the dials in force
  POST /_simulator/faults   new dials, {} for none; ?apiKey=KEY for the calls of one merchant
  POST /_simulator/deposit  {"apiKey":"…","amount":"100.00"}: money for a merchant
  POST /_simulator/reset    no batches, no books, no faults

Everything settles within a second, balance without end and no failures, unless settings or dials say otherwise.

Example:

  toplu simulator --listen 127.0.0.1:8081 --settle 5s --faults '{"authLostAfter":0.1,"failItems":0.05}'`
}

// A simulatorReport is what is in force, said before the first call.
type simulatorReport struct {
	URL       string              `json:"url"`
	Merchants []string            `json:"merchants"`
	Settings  iyzicotest.Settings `json:"settings"`
	Faults    iyzicotest.Faults   `json:"faults"`
}

// Run serves until ctx ends.
func (c *simulatorCommand) Run(ctx context.Context, p *program) error {
	settings, faults, err := c.settings()
	if err != nil {
		return err
	}
	names, keys, err := p.simulatorKeys()
	if err != nil {
		return err
	}
	server, err := iyzicotest.NewServer(iyzicotest.Config{Merchants: keys, Settings: settings, Seed: c.Seed})
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	server.Provider().SetFaults(faults)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	report := simulatorReport{URL: "http://" + listener.Addr().String(), Merchants: names, Settings: settings, Faults: faults}
	if err := c.announce(p, report); err != nil {
		return errors.Join(err, listener.Close())
	}
	return serve(ctx, listener, server)
}

// announce says where the simulator is and how it behaves.
func (c *simulatorCommand) announce(p *program, r simulatorReport) error {
	if c.JSON {
		return p.printJSON(r)
	}
	faults, err := json.Marshal(r.Faults)
	if err != nil {
		return err
	}
	inForce := append([]string{}, c.Setting...)
	if c.Settle > 0 {
		inForce = append(inForce, "settleWithin="+c.Settle.String())
	}
	if c.Commission != "" {
		inForce = append(inForce, "commissionFlat="+c.Commission)
	}
	if len(inForce) == 0 {
		inForce = []string{"all as by default"}
	}
	p.say("simulator: %s", r.URL)
	p.say("merchants: %s", strings.Join(r.Merchants, ", "))
	p.say("settings:  %s", strings.Join(inForce, ", "))
	p.say("faults:    %s", faults)
	p.say("books:     %s/_simulator/books", r.URL)
	return nil
}

// settings reads the flags that say how the simulator behaves.
func (c *simulatorCommand) settings() (iyzicotest.Settings, iyzicotest.Faults, error) {
	object := map[string]json.RawMessage{}
	for _, pair := range c.Setting {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return iyzicotest.Settings{}, iyzicotest.Faults{}, usageError{fmt.Sprintf("--setting %s: want key=value", pair)}
		}
		object[key] = asJSON(value)
	}
	if c.Settle != 0 {
		object["settleWithin"] = asJSON(c.Settle.String())
	}
	if c.Commission != "" {
		object["commissionFlat"] = asJSON(c.Commission)
	}
	data, err := json.Marshal(object)
	if err != nil {
		return iyzicotest.Settings{}, iyzicotest.Faults{}, err
	}
	settings, err := iyzicotest.ParseSettings(data)
	if err != nil {
		return settings, iyzicotest.Faults{}, usageError{"settings: " + err.Error()}
	}
	faults := iyzicotest.Faults{}
	if c.Faults != "" {
		if faults, err = iyzicotest.ParseFaults([]byte(c.Faults)); err != nil {
			return settings, faults, usageError{"--faults: " + err.Error()}
		}
	}
	return settings, faults, nil
}

// asJSON takes a setting as the JSON that it is, or else as a text: numbers
// and true need no quotes, and neither do words.
func asJSON(value string) json.RawMessage {
	if json.Valid([]byte(value)) {
		return json.RawMessage(value)
	}
	quoted, _ := json.Marshal(value) //nolint:errchkjson // a string
	return quoted
}

// simulatorKeys returns the merchants' names, and their secret keys by API key.
func (p *program) simulatorKeys() ([]string, map[string]string, error) {
	if p.configPath == "" {
		return []string{"default (" + sandboxKey + ")"}, map[string]string{sandboxKey: sandboxSecret}, nil
	}
	cfg, err := p.config("merchants")
	if err != nil {
		return nil, nil, err
	}
	keys := map[string]string{}
	for _, m := range cfg.Merchants {
		keys[m.APIKey.Reveal()] = m.SecretKey.Reveal()
	}
	return slices.Sorted(maps.Keys(cfg.Merchants)), keys, nil
}

// serve answers requests until ctx ends, and lets those in flight finish for a
// moment.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil { // a call that is held up by a dial
		_ = server.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// The keys of the simulator's merchant where no configuration names others.
const (
	sandboxKey    = "sandbox-key"
	sandboxSecret = "sandbox-secret"
)

// instantSimulator is an iyzico that settles a batch with its auth.
func instantSimulator() (http.Handler, error) {
	return iyzicotest.NewServer(iyzicotest.Config{
		Merchants: map[string]string{sandboxKey: sandboxSecret}, Settings: iyzicotest.Settings{SettleWithin: 1}, Seed: 1,
	})
}
