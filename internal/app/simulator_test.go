package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/toplu/toplu/internal/app"
	"github.com/toplu/toplu/iyzico"
)

type simulatorReport struct {
	URL       string                     `json:"url"`
	Merchants []string                   `json:"merchants"`
	Settings  map[string]json.RawMessage `json:"settings"`
	Faults    map[string]json.RawMessage `json:"faults"`
}

// startSimulator runs `toplu simulator` until the test ends, and returns what
// it said first.
func startSimulator(t *testing.T, env map[string]string, args ...string) (said simulatorReport) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- app.Run(ctx, append([]string{"simulator", "--listen", "127.0.0.1:0", "--json"}, args...), func(name string) string { return env[name] }, strings.NewReader(""), in, io.Discard)
		_ = in.Close()
	}()
	t.Cleanup(func() {
		stop()
		if got := <-code; got != 0 {
			t.Errorf("the simulator ended with exit status %d", got)
		}
	})
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&said); err != nil {
		t.Fatal(err)
	}
	return said
}

func balance(t *testing.T, url, key, secret string) (iyzico.Money, error) {
	t.Helper()
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	c, err := iyzico.New(iyzico.Config{BaseURL: url, APIKey: iyzico.Secret(key), SecretKey: iyzico.Secret(secret), HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return c.Balance(t.Context())
}

func TestSimulatorWithoutConfiguration(t *testing.T) {
	t.Parallel()
	sim := startSimulator(t, nil, "--setting", "balance=1000.50", "--setting", "secondAuth=pays-again", "--settle", "2s", "--faults", `{"itemLost":0.5}`)
	if got := string(sim.Settings["secondAuth"]) + string(sim.Settings["settleWithin"]) + string(sim.Faults["itemLost"]); got != `"pays-again""2s"0.500000` {
		t.Errorf("in force: %s", got)
	}
	got, err := balance(t, sim.URL, "sandbox-key", "sandbox-secret")
	if err != nil || got.String() != "1000.50" {
		t.Errorf("got %s, %v", got, err)
	}
	res, err := http.Get(sim.URL + "/_simulator/books")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	if body, _ := io.ReadAll(res.Body); !strings.Contains(string(body), `"transfers":[]`) || !strings.Contains(string(body), `"balance":1`) {
		t.Errorf("books: %s", body)
	}
}

func TestSimulatorTakesTheMerchantsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	env := map[string]string{"TOPLU_CONFIG": file(t, "toplu.yaml", "merchants: {shop: {apiKey: k, secretKey: s}}\n")}
	sim := startSimulator(t, env)
	if _, err := balance(t, sim.URL, "k", "s"); err != nil {
		t.Error(err)
	}
	if _, err := balance(t, sim.URL, "sandbox-key", "sandbox-secret"); err == nil {
		t.Error("an unknown key was accepted")
	}
	if strings.Join(sim.Merchants, ",") != "shop" {
		t.Errorf("merchants %v", sim.Merchants)
	}
}

func TestSimulatorWrongFlags(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"want key=value":      {"--setting", "secondAuth"},
		"unknown: secondOuth": {"--setting", "secondOuth=x"},
		"secondAuth":          {"--setting", "secondAuth=x"},
		"unknown: initLost":   {"--faults", `{"initLost":1}`},
		"commissionFlat":      {"--commission=-5"},
	} {
		run(t, nil, "", append([]string{"simulator"}, args...)...).want(t, 2, "", want)
	}
	run(t, nil, "", "simulator", "--listen", "256.0.0.1:1").want(t, 1, "", "toplu: simulator: ")
}
