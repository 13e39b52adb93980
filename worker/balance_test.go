package worker_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/redislimit"
)

// A teller counts a worker's calls, and keeps auth waiting until the door opens.
type teller struct {
	worker.Provider
	balances, auths atomic.Int32
	door            chan struct{}
}

func (p *teller) Balance(ctx context.Context) (iyzico.Money, error) {
	p.balances.Add(1)
	return p.Provider.Balance(ctx)
}

func (p *teller) Auth(ctx context.Context, requestID string) error {
	p.auths.Add(1)
	select {
	case <-p.door:
	case <-ctx.Done():
		return ctx.Err()
	}
	return p.Provider.Auth(ctx, requestID)
}

// telling puts a teller before the bench's provider.
func telling(ports *worker.Ports) *teller {
	p, _ := ports.Merchant("default")
	open := &teller{Provider: p, door: make(chan struct{})}
	ports.Merchant = func(name string) (worker.Provider, bool) { return open, name == "default" }
	return open
}

// start drives the bench's shard until the end of the test.
func (b *bench) start(t *testing.T, ports worker.Ports) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- worker.NewShard(0, quick, ports).Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// Two workers have a batch each of one merchant, and the balance covers one of them.
// While the one that is completed has not been debited yet, the other sees a
// balance that would do, and waits: what the first is about to take is set aside
// where both look. Each for itself they would both be completed.
func TestBalanceIsSharedByWorkers(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]bool{"shared": true, "each for itself": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := newBench(t, iyzicotest.Settings{Balance: new(iyzicotest.Money(50_000))}) // a batch needs 361.53
			second := newBench(t, iyzicotest.Settings{})
			second.server, second.simulator = first.server, first.simulator
			first.plan(t, "a", 3)
			second.plan(t, "b", 3)
			firstPorts, secondPorts := first.ports(t), second.ports(t)
			if shared {
				rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
				t.Cleanup(func() { _ = rdb.Close() })
				firstPorts.Reserves, secondPorts.Reserves = redislimit.New(rdb, "toplu"), redislimit.New(rdb, "toplu")
			}
			one, other := telling(&firstPorts), telling(&secondPorts)
			close(other.door)
			first.start(t, firstPorts)
			waitFor(t, "the first is completed", func() bool { return one.auths.Load() == 1 })
			second.start(t, secondPorts)
			if !shared {
				waitFor(t, "the second is completed too", func() bool { return other.auths.Load() == 1 })
				close(one.door)
				return
			}
			waitFor(t, "the second has looked at the balance and waits", func() bool { return other.balances.Load() >= 3 })
			if n := other.auths.Load(); n != 0 {
				t.Fatalf("the second was completed with the first one's money (%d)", n)
			}
			close(one.door)
			waitFor(t, "the first is paid", first.final(t, 3))
			looked := other.balances.Load()
			waitFor(t, "the second has looked again", func() bool { return other.balances.Load() >= looked+2 })
			if n := other.auths.Load(); n != 0 {
				t.Fatalf("the second was completed with 138.47 left (%d)", n)
			}
			first.simulator.Provider().Deposit("key", 50_000)
			waitFor(t, "the second is paid", second.final(t, 3))
			for id, s := range second.last(t) {
				if s.Status != schema.Paid {
					t.Errorf("%s is %s", id, s.Status)
				}
			}
			if calls := first.books(t).Calls; calls["auth"] != 2 || calls["cancel"] != 0 {
				t.Errorf("calls: %v", calls)
			}
		})
	}
}

// asked remembers in which currencies money was set aside.
type asked struct {
	worker.Reserves
	mu  sync.Mutex
	all []string
}

func (r *asked) Take(ctx context.Context, x worker.Reserve, available, least int64) (bool, int64, error) {
	r.mu.Lock()
	r.all = append(r.all, string(x.Currency)+" "+schema.FormatMinor(available))
	r.mu.Unlock()
	return r.Reserves.Take(ctx, x, available, least)
}

// iyzico tells a balance without a currency. It is compared with batches in the one
// that the configuration names; money of others is neither compared nor set aside.
func TestBalanceInItsOwnCurrency(t *testing.T) {
	t.Parallel()
	for _, of := range []schema.Currency{schema.TRY, schema.USD, schema.EUR} {
		t.Run(string(of), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, iyzicotest.Settings{Balance: new(iyzicotest.Money(1_000_000))})
			for _, currency := range []schema.Currency{schema.TRY, schema.USD} {
				p := &schema.Plan{Merchant: "default", Purpose: "SETTLEMENT", Currency: currency, At: b.plan(t, string(currency), 1).At}
				p.Items = []schema.PlanItem{{
					PayoutID: "in-" + string(currency), Minor: 7_000, EventID: "x", Source: schema.Source{Topic: "payout.requests"},
					Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
				}}
				p.ID = schema.PlanID(p)
				b.write(t, p)
			}
			rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
			t.Cleanup(func() { _ = rdb.Close() })
			ports := b.ports(t)
			reserves := &asked{Reserves: redislimit.New(rdb, "toplu")}
			ports.Reserves = reserves
			cfg := quick
			cfg.Merchants = map[string]worker.Terms{"default": {BalanceCurrency: of}}
			b.runWith(t, cfg, ports, b.final(t, 4))
			for id, s := range b.last(t) {
				if s.Status != schema.Paid {
					t.Errorf("%s is %s", id, s.Status)
				}
			}
			want := map[schema.Currency]int{schema.TRY: 3, schema.USD: 1, schema.EUR: 0}[of] // the benches' own plans are in TRY
			if n := b.books(t).Calls["balance"]; n != want || len(reserves.all) != want {
				t.Errorf("%d looks at the balance, want %d; set aside: %v", n, want, reserves.all)
			}
			for _, r := range reserves.all {
				if !strings.HasPrefix(r, string(of)+" ") {
					t.Errorf("set aside: %s", r)
				}
			}
		})
	}
}
