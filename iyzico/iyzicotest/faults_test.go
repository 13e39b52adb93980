package iyzicotest_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// A dial at 1 decides whether a call has its effect and whether its answer
// arrives, and leaves the other calls alone.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	type outcome struct{ answered, effect bool }
	lostBefore, lostAfter := outcome{false, false}, outcome{false, true}
	for dial, want := range map[string]outcome{
		`{"initLostBefore":1}`:   lostBefore,
		`{"initLostAfter":1}`:    lostAfter,
		`{"authLostBefore":1}`:   lostBefore,
		`{"authLostAfter":1}`:    lostAfter,
		`{"cancelLostBefore":1}`: lostBefore,
		`{"cancelLostAfter":1}`:  lostAfter,
		`{"retrieveLost":1}`:     lostBefore,
		`{"itemLost":1}`:         lostBefore,
		`{"balanceLost":1}`:      lostBefore,
		`{"truncated":1}`:        lostAfter,
		`{"authLostBefore":0}`:   {true, true},
	} {
		c := newClient(t, iyzicotest.Settings{})
		requestID := c.init("first", "1")
		op := strings.TrimLeft(dial, `{"`)
		for _, suffix := range []string{"Lost", `"`} {
			op, _, _ = strings.Cut(op, suffix)
		}
		if op == "truncated" {
			op = "auth"
		}
		c.faults(dial)
		var a answer
		switch op {
		case "init":
			a = c.call("POST", "init", initBody("second", "2"))
		case "auth":
			a = c.auth(requestID)
		case "cancel":
			a = c.call("POST", "cancel/"+requestID, nil)
		case "retrieve":
			a = c.call("POST", "retrieve", map[string]any{"requestId": requestID, "size": 1})
		case "item":
			a = c.call("GET", "retrieve/items/none", nil)
		case "balance":
			a = c.call("GET", "balance", nil)
		}
		equal(t, dial+": answered", a.err == nil, want.answered)
		equal(t, dial+": counted", c.books().Calls[op] > 0, true)
		c.faults(`{}`)

		books := c.Provider().Books()
		effect := len(books.Batches) > 1 || books.Batches[0].Status != iyzicotest.BatchInit
		equal(t, dial+": effect", effect, want.effect)
	}
}

func TestTruncatedAnswer(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{})
	c.faults(`{"truncated":1}`)
	a := c.call("GET", "balance", nil)
	if a.http != 200 || a.err == nil || len(a.body) == 0 {
		t.Errorf("got HTTP %d, %q, error %v, want half a body and an error", a.http, a.body, a.err)
	}
}

// Of answers that say nothing about the effect, some come with it and some
// without.
func TestAnswersThatProveNothing(t *testing.T) {
	t.Parallel()
	for dial, want := range map[string]func(answer) bool{
		`{"serverError":1}`: func(a answer) bool {
			return (a.http == 500 && a.json.ErrorCode == "1") || (a.http == 503 && strings.Contains(string(a.body), "<html>"))
		},
		`{"notJson":1}`:  func(a answer) bool { return a.http == 200 && strings.Contains(string(a.body), "<html>") },
		`{"redirect":1}`: func(a answer) bool { return a.http == 307 },
	} {
		c := newClient(t, iyzicotest.Settings{})
		c.faults(dial)
		const n = 30
		for i := range n {
			if a := c.call("POST", "init", initBody(string(rune('a'+i)), "1")); a.err != nil || !want(a) {
				t.Fatalf("%s: got HTTP %d, %q, %v", dial, a.http, a.body, a.err)
			}
		}
		if made := len(c.Provider().Books().Batches); made == 0 || made == n {
			t.Errorf("%s: %d of %d calls had their effect, want some", dial, made, n)
		}
	}
}

func TestRateLimitDial(t *testing.T) {
	t.Parallel()
	for setting, status := range map[int]int{0: 200, 429: 429} {
		c := newClient(t, iyzicotest.Settings{HTTPRateLimit: setting})
		c.faults(`{"rateLimit":1}`)
		a := c.call("POST", "init", initBody("b", "1"))
		equal(t, "code", a.json.ErrorCode, "50000")
		equal(t, "HTTP", a.http, status)
		equal(t, "batches", len(c.Provider().Books().Batches), 0)
	}
}

// A call that was held up has its effect after its caller has given up.
func TestDelayedCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	lost := func(a iyzicotest.Answer) {
		t.Helper()
		equal(t, "delivery", a.Delivery, iyzicotest.Lost)
		if a.RequestID != "" || a.Code != "" {
			t.Errorf("a lost answer says %+v", a)
		}
	}
	w.SetFaults(iyzicotest.Faults{
		InitDelayed: iyzicotest.Always, DelayedInitMs: 60_000,
		AuthDelayed: iyzicotest.Always, DelayedAuthMs: 60_000,
	})
	lost(w.Init(key, batch("b", "1")))
	byExternalID := iyzicotest.RetrieveRequest{ExternalID: "b", Size: 1}
	equal(t, "at once", code(w.Retrieve(key, byExternalID)), "SIM1002")
	w.wait(time.Minute)
	requestID := w.Books().Batches[0].RequestID

	lost(w.Auth(key, requestID))
	w.wait(59 * time.Second)
	equal(t, "before the auth arrives", w.status(requestID), "INIT")

	w.wait(time.Hour)
	equal(t, "after", w.status(requestID), "COMPLETED")

	// A cancel that overtakes the auth leaves nothing to authorise.
	w.SetFaults(iyzicotest.Faults{AuthDelayed: iyzicotest.Always, DelayedAuthMs: 60_000, CancelDelayed: iyzicotest.Always})
	requestID = w.init("b2", "2")
	lost(w.Auth(key, requestID))
	w.wait(58 * time.Second)
	lost(w.Cancel(key, requestID)) // by a second, where the dial says nothing
	w.wait(900 * time.Millisecond)
	equal(t, "before the cancel arrives", w.status(requestID), "INIT")
	w.wait(time.Hour)
	equal(t, "in the end", w.status(requestID), "CANCELED")
	if diff := cmp.Diff(map[string]int{"1": 1}, w.payments()); diff != "" {
		t.Errorf("payments (-want +got):\n%s", diff)
	}
}

func TestInvalidItemsDial(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	w.SetFaults(iyzicotest.Faults{InvalidItems: iyzicotest.Always})
	a := w.Init(key, batch("b", "1", "2"))
	equal(t, "invalid", len(a.InvalidItems), 2)
	equal(t, "code", a.InvalidItems[0].ErrorCode, "SIM2008")
}

func TestFailItemsDial(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{SettleWithin: 1})
	c.faults(`{"failItems":1}`)
	c.auth(c.init("b", "1"))
	equal(t, "transfers", len(c.books().Transfers), 0)
}

func TestDelayDial(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	w.SetFaults(iyzicotest.Faults{Delay: 250})
	equal(t, "delay", w.Balance(key).Delay, 250*time.Millisecond)

	// Over HTTP the answer is on its way for that long, and not longer than
	// its caller waits.
	c := newClient(t, iyzicotest.Settings{})
	c.faults(`{"delayMs":20}`)
	begin := time.Now()
	equal(t, "HTTP", c.call("GET", "balance", nil).http, 200)
	if took := time.Since(begin); took < 20*time.Millisecond {
		t.Errorf("answered after %s", took)
	}
}

func TestFaultsOverHTTP(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{})
	get := func() string { return strings.TrimSpace(string(c.do("GET", "/_simulator/faults", "", nil, "").body)) }
	equal(t, "at first", get(), `{}`)
	c.faults(`{"authLostAfter":0.25,"failItems":1e-05,"delayMs":5}`)
	equal(t, "in force", get(), `{"authLostAfter":0.250000,"failItems":0.000010,"delayMs":5}`)
	c.faults(get())
	equal(t, "written back", get(), `{"authLostAfter":0.250000,"failItems":0.000010,"delayMs":5}`)
	c.faults(`{"initLostAfter":1}`)
	equal(t, "replaced", get(), `{"initLostAfter":1.000000}`)

	for body, want := range map[string][]string{
		`{"authLost":1,"delayMS":5}`:                  {"authLost", "delayMS", "authLostBefore", "settleDelayMs"},
		`{"failItems":2,"itemLost":-1,"delayMs":0.5}`: {"failItems", "itemLost", "delayMs"},
		`{"failItems":"1"}`:                           {"failItems"},
		`[]`:                                          {"object"},
		``:                                            {"object"},
		`null`:                                        {"object"},
	} {
		a := c.do("POST", "/_simulator/faults", "", []byte(body), "")
		equal(t, body+": HTTP", a.http, 400)
		for _, word := range want {
			if !strings.Contains(string(a.body), word) {
				t.Errorf("%s: %q is missing in %s", body, word, a.body)
			}
		}
	}
	equal(t, "after mistakes", get(), `{"initLostAfter":1.000000}`)
	c.faults(`{}`)
	equal(t, "cleared", get(), `{}`)
}

func TestProbabilities(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]iyzicotest.Probability{
		"0": 0, "0.00051": 510, "0.1": 100_000, "0.25": 250_000, "0.3": 300_000, "0.7": 700_000, "1": iyzicotest.Always, "1.0": iyzicotest.Always,
		"1e-9": 1, // the smallest chance is still one
	} {
		f, err := iyzicotest.ParseFaults([]byte(`{"failItems":` + text + `}`))
		if err != nil || f.FailItems != want {
			t.Errorf("%s: got %d, %v, want %d", text, f.FailItems, err, want)
		}
	}
}

// Every dial that others may turn is known by its name.
func TestKnownDials(t *testing.T) {
	t.Parallel()
	names := `initLostBefore initLostAfter authLostBefore authLostAfter retrieveLost itemLost cancelLostBefore
		cancelLostAfter balanceLost serverError rateLimit notJson redirect truncated invalidItems failItems
		depositSuccess depositFail delayMs settleDelayMs lowBalance authDelayed delayedAuthMs initDelayed
		delayedInitMs cancelDelayed delayedCancelMs`
	for name := range strings.FieldsSeq(names) {
		if _, err := iyzicotest.ParseFaults([]byte(`{"` + name + `":1}`)); err != nil {
			t.Error(err)
		}
	}
}

// The simulator answers in process too, where no connection can be cut.
func TestLostAnswerAbortsTheHandler(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{})
	c.faults(`{"balanceLost":1}`)
	const path = "/v1/mass/payout/balance"
	r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	r.Header.Set("Authorization", sign(key, secret, path, nil))
	defer func() {
		if recover() == nil {
			t.Error("the handler returned")
		}
	}()
	c.ServeHTTP(httptest.NewRecorder(), r)
}
