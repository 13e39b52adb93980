package iyzicotest_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// The same calls at the same times with the same seed give the same answers,
// byte for byte, whatever the dials do.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	run := func() string {
		w := newWorld(t, iyzicotest.Settings{
			DuplicateExternalID: iyzicotest.DuplicateSecond, SecondAuth: iyzicotest.SecondAuthPaysAgain,
			RetrieveLag: iyzicotest.Duration(time.Second), RetrieveLagMode: iyzicotest.LagPerItem,
			RetrievePick: iyzicotest.RetrieveAny, CancelAfterAuth: iyzicotest.CancelAfterAuthPartial,
			Balance: new(iyzicotest.Money(20_000_00)), ResumeWhenFunded: true,
		})
		w.SetFaults(iyzicotest.Faults{
			AuthLostBefore: 100_000, InitLostAfter: 100_000, AuthDelayed: 100_000, ServerError: 100_000,
			InvalidItems: 50_000, FailItems: 100_000, DepositSuccess: 500_000, Truncated: 50_000, Redirect: 50_000,
		})
		script := rand.New(rand.NewPCG(7, 7)) // the caller's own
		var out strings.Builder
		write := func(op iyzicotest.Op, a iyzicotest.Answer) {
			fmt.Fprintf(&out, "%s %d %d ", op, a.Delivery, a.HTTPStatus)
			if a.Delivery == iyzicotest.Whole {
				out.Write(a.AppendJSON(nil, op, "tr"))
			}
			out.WriteByte('\n')
		}
		requestID := ""
		for range 400 {
			externalID := fmt.Sprint("b", script.IntN(40))
			switch script.IntN(5) {
			case 0, 1:
				a := w.Init(key, batch(externalID, externalID+"-1", externalID+"-2", externalID+"-3"))
				if a.OK() {
					requestID = a.RequestID
				}
				write(iyzicotest.OpInit, a)
			case 2:
				write(iyzicotest.OpAuth, w.Auth(key, requestID))
			case 3:
				write(iyzicotest.OpRetrieve, w.Retrieve(key, iyzicotest.RetrieveRequest{ExternalID: externalID, Size: 2}))
			case 4:
				write(iyzicotest.OpCancel, w.Cancel(key, requestID))
			}
			w.wait(time.Duration(script.IntN(300)) * time.Millisecond)
		}
		for tr := range w.Books().Transfers {
			fmt.Fprintf(&out, "%+v\n", tr)
		}
		return out.String()
	}
	first := run()
	if diff := cmp.Diff(first, run()); diff != "" {
		t.Errorf("two runs differ (-first +second):\n%s", diff)
	}
	if !strings.Contains(first, "SUCCESS") {
		t.Error("nothing was paid in the run")
	}
}

// What happens by itself does not depend on who looks and how often.
func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	run := func(look bool) []string {
		w := newWorld(t, iyzicotest.Settings{Fate: fates, Balance: new(iyzicotest.Money(400_00)), ResumeWhenFunded: true})
		first := w.init("b1", "paid", "returned", "failed")
		second := w.init("b2", "paid2")
		w.auth(first)
		w.auth(second)
		for range 20 {
			w.wait(100 * time.Millisecond)
			if look {
				w.Advance(w.now)
				w.status(first)
			}
		}
		return append(w.items(first), w.items(second)...)
	}
	if diff := cmp.Diff(run(true), run(false)); diff != "" {
		t.Errorf("items (-looked at +left alone):\n%s", diff)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	p, err := iyzicotest.NewProvider(iyzicotest.Settings{SettleWithin: 1}, time.Now, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				id := fmt.Sprint(i, "-", j)
				a := p.Init(key, batch(id, id))
				p.Auth(key, a.RequestID)
				p.Retrieve(key, iyzicotest.RetrieveRequest{RequestID: a.RequestID, Size: 1})
				for tr := range p.Books().Transfers {
					_ = tr.Amount
				}
			}
		})
	}
	wg.Wait()
	p.Advance(time.Now().Add(time.Second))
	equal(t, "transfers", p.Books().Count, 160)
}
