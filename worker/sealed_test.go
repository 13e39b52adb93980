package worker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// ring is a directory with keys of this month, for default and for nobody.
func ring(t *testing.T) (dir string, keys *seal.Keys) {
	t.Helper()
	dir = t.TempDir()
	for _, merchant := range []string{"default", seal.NoMerchant} {
		if _, err := seal.Create(dir, seal.ID{Merchant: merchant, Month: seal.MonthOf(time.Now())}); err != nil {
			t.Fatal(err)
		}
	}
	return dir, openRing(t, dir)
}

func openRing(t *testing.T, dir string) *seal.Keys {
	t.Helper()
	keys, err := seal.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// sealed writes a plan of one payout to the plan log, sealed if there are keys.
func (b *bench) sealed(t *testing.T, keys *seal.Keys, id string, minor int64) *schema.Plan {
	t.Helper()
	p := &schema.Plan{Merchant: "default", Purpose: "SETTLEMENT", Currency: schema.TRY, At: time.Now().UTC(), Items: []schema.PlanItem{{
		PayoutID: id, Minor: minor, Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "Ayşe Yılmaz"},
		Metadata: []byte(`{"orderId":"1"}`), EventID: id, Source: schema.Source{Topic: "payout.requests", Offset: minor},
	}}}
	p.ID = schema.PlanID(p)
	if err := keys.SealPlan(p); err != nil {
		t.Fatal(err)
	}
	b.write(t, p)
	return p
}

// A batch whose key is not there waits before anything is called about it; others
// are paid. When the key comes, it is paid too.
func TestBatchWaitsForItsKey(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	dir, keys := ring(t)
	b.sealed(t, keys, "sealed", 100)
	b.sealed(t, nil, "clear", 200)
	file := filepath.Join(dir, "default."+seal.MonthOf(time.Now())+".key")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	ports := b.ports(t)
	ports.Seal = openRing(t, dir)
	brought := false
	b.runWith(t, quick, ports, func() bool {
		last := b.last(t)
		if !brought && last["clear"].Status == schema.Paid {
			if st := last["sealed"]; st.Status != schema.Accepted || b.books(t).Calls["init"] != 1 {
				t.Errorf("without its key the batch is %s, init was called %d times", st.Status, b.books(t).Calls["init"])
			}
			if err := os.Rename(file+".away", file); err != nil {
				t.Fatal(err)
			}
			brought = true
		}
		return last["sealed"].Status == schema.Paid
	})
	if st := b.last(t)["sealed"]; string(st.Metadata) != `{"orderId":"1"}` {
		t.Errorf("the metadata of paid: %s", st.Metadata)
	}
	if n := len(b.books(t).Transfers); n != 2 {
		t.Errorf("%d transfers", n)
	}
}

// The same payout planned in clear and sealed, in either order, is a duplicate;
// with another amount it is a conflict, and its letter is sealed.
func TestDuplicatesAcrossSealing(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	_, keys := ring(t)
	b.sealed(t, nil, "a", 100)
	b.sealed(t, keys, "a", 100)
	b.sealed(t, keys, "b", 100)
	b.sealed(t, nil, "b", 100)
	b.sealed(t, keys, "b", 101)
	ports := b.ports(t)
	ports.Seal = keys
	b.runWith(t, quick, ports, func() bool {
		last := b.last(t)
		b.dead.mu.Lock()
		defer b.dead.mu.Unlock()
		return last["a"].Status == schema.Paid && last["b"].Status == schema.Paid && len(b.dead.messages) > 0
	})
	if len(b.dead.messages) != 1 || schema.SealedWith(b.dead.messages[0]) != "default/"+seal.MonthOf(time.Now()) {
		t.Fatalf("dead letters: %v", b.dead.messages)
	}
	if m, err := keys.OpenLetter(b.dead.messages[0]); err != nil || string(m.Value) != "as it came" {
		t.Errorf("the letter opened: %s, %v", m.Value, err)
	}
	if n := len(b.books(t).Transfers); n != 2 {
		t.Errorf("%d transfers", n)
	}
}

// What was paid is erased: the logs are folded anew into empty claims, nothing is
// paid again, and the story is told without who was paid.
func TestErased(t *testing.T) {
	t.Parallel()
	b := newBench(t, iyzicotest.Settings{})
	dir, keys := ring(t)
	p := b.sealed(t, keys, "a", 100)
	ports := b.ports(t)
	ports.Seal = keys
	b.runWith(t, quick, ports, func() bool { return b.last(t)["a"].Status == schema.Paid })
	if err := seal.Destroy(dir, seal.ID{Merchant: "default", Month: p.Key}, seal.Grave{By: "Deniz", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	b.claims.Wipe(0)
	b.sealed(t, nil, "clear", 200)
	ports = b.ports(t)
	ports.Seal = openRing(t, dir)
	b.runWith(t, quick, ports, func() bool { return b.last(t)["clear"].Status == schema.Paid })
	if n := len(b.books(t).Transfers); n != 2 {
		t.Errorf("%d transfers", n)
	}
	var again []schema.Status
	_, err := worker.Retell(t.Context(), 0, &b.plans, &b.journal, worker.Listener{
		Open:   func(p *schema.Plan) { _ = ports.Seal.OpenPlan(p) },
		Status: func(s *schema.Status) error { again = append(again, *s); return nil },
	})
	if err != nil || len(again) < 6 {
		t.Errorf("told again: %d statuses, %v", len(again), err)
	}
	for i := range again {
		if again[i].PayoutID == "a" && (again[i].Metadata != nil || !strings.HasPrefix(again[i].Amount.Value(), "1.00")) {
			t.Errorf("erased, and yet: %v", again[i])
		}
	}
}
