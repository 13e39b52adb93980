package app

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/worker"
)

// newKeysEvery is how often key files are looked at.
const newKeysEvery = 2 * time.Second

// An account is a merchant's client of iyzico's API. Its keys can be exchanged
// while calls are made: each call has those in force when it begins.
type account struct {
	client atomic.Pointer[iyzico.Client]
	dial   func(apiKey, secretKey config.Secret) (*iyzico.Client, error)

	// What follows is for the one goroutine that looks for new keys.
	apiKey, secretKey config.Secret // in force
	told              string        // the last trouble with new ones
}

var _ worker.Provider = (*account)(nil)

// openAccounts makes the accounts of all merchants. Nothing is connected yet.
func openAccounts(cfg *config.Config, registry prometheus.Registerer, recent *recentCalls) (map[string]*account, error) {
	calls := newCallMetrics(registry)
	accounts := map[string]*account{}
	var errs []error
	for name, m := range cfg.Merchants {
		count, remember := calls.of(name), recent.of(name)
		a, err := openAccount(m, func(apiKey, secretKey config.Secret) (*iyzico.Client, error) {
			return iyzico.New(iyzico.Config{
				BaseURL: cfg.Iyzico.BaseURL.String(), APIKey: iyzico.Secret(apiKey.Reveal()), SecretKey: iyzico.Secret(secretKey.Reveal()),
				Locale: cfg.Iyzico.Locale, Timeout: cfg.Iyzico.Timeout, MaxConns: cfg.Iyzico.MaxConns,
				SeenBeforeCodes: cfg.Iyzico.SeenBeforeCodes, Observe: func(op string, outcome iyzico.Outcome, code string, took time.Duration) {
					count(op, outcome, code, took)
					remember(op, outcome, code, took)
				},
			})
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("merchant %s: %w", name, err))
			continue
		}
		accounts[name] = a
	}
	return accounts, errors.Join(errs...)
}

func openAccount(m config.Merchant, dial func(apiKey, secretKey config.Secret) (*iyzico.Client, error)) (*account, error) {
	c, err := dial(m.APIKey, m.SecretKey)
	if err != nil {
		return nil, err
	}
	a := &account{dial: dial, apiKey: m.APIKey, secretKey: m.SecretKey}
	a.client.Store(c)
	return a, nil
}

// watchKeys takes over new keys from their files until ctx ends.
func (s *service) watchKeys(ctx context.Context) error {
	tick := time.NewTicker(newKeysEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			for name, a := range s.accounts {
				a.lookForKeys(ctx, s.log.With().Str("merchant", name).Logger())
			}
		}
	}
}

// lookForKeys puts a new pair of keys in force if there is one and iyzico takes
// it. That it does is asked before, by a call that moves nothing: of two files
// one is written first, and an auth signed with half a new pair is a lost
// answer, which costs the batch a new attempt.
func (a *account) lookForKeys(ctx context.Context, log zerolog.Logger) {
	apiKey, err := a.apiKey.Latest()
	secretKey, err2 := a.secretKey.Latest()
	if err := errors.Join(err, err2); err != nil {
		a.tell(log, err, "a key file cannot be read; the keys before stay in force")
		return
	}
	if apiKey.Reveal() == a.apiKey.Reveal() && secretKey.Reveal() == a.secretKey.Reveal() {
		a.told = ""
		return
	}
	c, err := a.dial(apiKey, secretKey)
	if err != nil {
		a.tell(log, err, "new keys cannot be used; those before stay in force")
		return
	}
	if _, err := c.Balance(ctx); !answered(err) {
		c.CloseIdleConnections()
		a.tell(log, err, "new keys wait for iyzico to accept them; those before stay in force")
		return
	}
	before := a.client.Swap(c)
	before.CloseIdleConnections()
	a.apiKey, a.secretKey, a.told = apiKey, secretKey, ""
	log.Info().Msg("new keys are in force")
}

// answered reports whether the end of a call shows that iyzico knew its keys.
func answered(err error) bool {
	if err == nil {
		return true
	}
	e, ok := errors.AsType[*iyzico.Error](err)
	return ok && e.Outcome == iyzico.OutcomeRefused && e.Kind != iyzico.KindTraffic
}

// tell logs a trouble once.
func (a *account) tell(log zerolog.Logger, err error, text string) {
	if trouble := text + err.Error(); trouble != a.told {
		a.told = trouble
		log.Warn().Err(err).Msg(text)
	}
}

// Init implements [worker.Provider].
func (a *account) Init(ctx context.Context, r iyzico.InitRequest) (iyzico.InitAnswer, error) {
	return a.client.Load().Init(ctx, r)
}

// Auth implements [worker.Provider].
func (a *account) Auth(ctx context.Context, requestID string) error {
	return a.client.Load().Auth(ctx, requestID)
}

// Retrieve implements [worker.Provider].
func (a *account) Retrieve(ctx context.Context, r iyzico.RetrieveRequest) (iyzico.Report, error) {
	return a.client.Load().Retrieve(ctx, r)
}

// Item implements [worker.Provider].
func (a *account) Item(ctx context.Context, referenceCode string) (iyzico.Item, error) {
	return a.client.Load().Item(ctx, referenceCode)
}

// Cancel implements [worker.Provider].
func (a *account) Cancel(ctx context.Context, requestID string) error {
	return a.client.Load().Cancel(ctx, requestID)
}

// Balance implements [worker.Provider].
func (a *account) Balance(ctx context.Context) (iyzico.Money, error) {
	return a.client.Load().Balance(ctx)
}

// CloseIdleConnections closes the connections that no call uses.
func (a *account) CloseIdleConnections() { a.client.Load().CloseIdleConnections() }
