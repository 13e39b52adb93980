package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

// A bench is a shard on logs, claims and topics in memory and a simulated iyzico.
type bench struct {
	plans, journal workertest.Log
	claims         *workertest.Claims
	statuses       topic
	dead           topic
	server         *httptest.Server
	simulator      *iyzicotest.Server
	ids            int
	mu             sync.Mutex
	log            zerolog.Logger
	notBefore      time.Time // of the plans
}

type topic struct {
	mu       sync.Mutex
	messages []schema.Message
}

func (t *topic) Publish(_ context.Context, m []schema.Message) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.messages = append(t.messages, workertest.Copy(m)...)
	return nil
}

func (t *topic) Original(context.Context, schema.Source) (schema.Message, error) {
	return schema.Message{Value: []byte("as it came")}, nil
}

func newBench(t *testing.T, settings iyzicotest.Settings) *bench {
	t.Helper()
	sim, err := iyzicotest.NewServer(iyzicotest.Config{Merchants: map[string]string{"key": "secret"}, Settings: settings, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.Close)
	return &bench{claims: workertest.NewClaims(), server: srv, simulator: sim, log: zerolog.New(zerolog.NewTestWriter(t))}
}

func (b *bench) ports(t *testing.T) worker.Ports {
	t.Helper()
	c, err := iyzico.New(iyzico.Config{BaseURL: b.server.URL, APIKey: "key", SecretKey: "secret", Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return worker.Ports{
		Plans: &b.plans, Journal: &b.journal, Claims: b.claims, Statuses: &b.statuses, DeadLetters: &b.dead, Originals: &b.dead,
		Merchant: func(name string) (worker.Provider, bool) { return c, name == "default" },
		Now:      time.Now, NewID: b.newID, Log: b.log,
	}
}

func (b *bench) newID() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ids++
	return fmt.Sprintf("id-%d", b.ids)
}

// plan writes a plan of n payouts to the plan log.
func (b *bench) plan(t *testing.T, prefix string, n int) *schema.Plan {
	t.Helper()
	p := &schema.Plan{Merchant: "default", Purpose: "SETTLEMENT", Currency: schema.TRY, At: time.Now().UTC(), NotBefore: b.notBefore}
	for i := range n {
		p.Items = append(p.Items, schema.PlanItem{
			PayoutID:  fmt.Sprintf("%s-%d", prefix, i),
			Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
			Minor:     int64(10050 + i), EventID: strconv.Itoa(i), Source: schema.Source{Topic: "payout.requests", Offset: int64(i)},
		})
	}
	p.ID = schema.PlanID(p)
	b.write(t, p)
	return p
}

// genesis begins the plan log, unless it has begun.
func (b *bench) genesis(t *testing.T, partitions int) *schema.Genesis {
	t.Helper()
	g, err := worker.EnsurePlanGenesis(t.Context(), &b.plans, partitions, b.newID, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// append writes a record that nobody of ours would write to the journal.
func (b *bench) append(t *testing.T, value string) {
	t.Helper()
	genesis := schema.Record{Type: schema.RecGenesis, LogID: b.genesis(t, 1).LogID, At: time.Now()}
	first, err := schema.EncodeRecord(&genesis)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.journal.Append(t.Context(), schema.Message{Key: []byte("genesis"), Value: first}, schema.Message{Key: []byte("x"), Value: []byte(value)}); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) write(t *testing.T, p *schema.Plan) {
	t.Helper()
	if _, end, _ := b.plans.Bounds(t.Context()); end == 0 {
		b.genesis(t, 1)
	}
	value, err := schema.EncodePlan(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.plans.Append(t.Context(), schema.Message{Key: []byte(p.ID), Value: value}); err != nil {
		t.Fatal(err)
	}
}

// last returns the last status of every payout.
func (b *bench) last(t *testing.T) map[string]schema.Status {
	t.Helper()
	b.statuses.mu.Lock()
	defer b.statuses.mu.Unlock()
	last := map[string]schema.Status{}
	for _, m := range b.statuses.messages {
		s, err := schema.DecodeStatus(m)
		if err != nil {
			t.Fatal(err)
		}
		if s.Sequence > last[s.PayoutID].Sequence+1 {
			t.Errorf("%s: sequence %d after %d", s.PayoutID, s.Sequence, last[s.PayoutID].Sequence)
		}
		if s.Sequence > last[s.PayoutID].Sequence {
			last[s.PayoutID] = s
		}
	}
	return last
}

type books struct {
	Transfers []struct {
		ItemExternalID string `json:"itemExternalId"`
		Amount         string `json:"amount"`
	} `json:"transfers"`
	Calls map[string]int `json:"calls"`
}

func (b *bench) books(t *testing.T) books {
	t.Helper()
	res, err := http.Get(b.server.URL + "/_simulator/books")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var bk books
	if err := json.NewDecoder(res.Body).Decode(&bk); err != nil {
		t.Fatal(err)
	}
	return bk
}

// run drives the shard until ok holds.
func (b *bench) run(t *testing.T, cfg worker.Config, ok func() bool) {
	t.Helper()
	b.runWith(t, cfg, b.ports(t), ok)
}

func (b *bench) runWith(t *testing.T, cfg worker.Config, ports worker.Ports, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	s := worker.NewShard(0, cfg, ports)
	go func() { done <- s.Run(ctx) }()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Error("not reached in time")
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not reached: " + what)
		}
	}
}

func (b *bench) final(t *testing.T, n int) func() bool {
	return func() bool {
		got := 0
		for _, s := range b.last(t) {
			if s.Status.Final() {
				got++
			}
		}
		return got == n
	}
}

var quick = worker.Config{Grace: 200 * time.Millisecond, ReportInterval: 20 * time.Millisecond}

func TestShardPaysAPlan(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	b.plan(t, "a", 50)
	b.run(t, quick, b.final(t, 50))
	for id, s := range b.last(t) {
		if s.Status != schema.Paid || s.Sequence != 3 {
			t.Errorf("%s is %s with sequence %d", id, s.Status, s.Sequence)
		}
	}
	bk := b.books(t)
	if len(bk.Transfers) != 50 || bk.Calls["auth"] != 1 {
		t.Errorf("%d transfers, calls %v", len(bk.Transfers), bk.Calls)
	}
}
