package consumer_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
)

func cancel(id string) schema.Message {
	return schema.EncodeCancel(&schema.Cancel{PayoutID: id, Reason: "returned", Source: "/shop", ID: "cancel-of-" + id}, time.Unix(0, 0))
}

// TestCancel has cancels come in every position: the request's plan is in the log
// before its cancel is passed on, and what has no request is not passed on.
func TestCancel(t *testing.T) {
	t.Parallel()
	patient := consumer.Config{MaxWait: 10 * time.Second}
	a, b := request("a", 10), request("b", 1)
	broken := cancel("a")
	broken.Value = []byte(`{"payoutId":"a","reason":7}`)
	for name, tt := range map[string]struct {
		first, second []schema.Message // two seconds apart
		plans         [][]string
		cancels       []string
		letters       []string
	}{
		"in the log":              {first: []schema.Message{a}, second: []schema.Message{b, cancel("a")}, plans: [][]string{{"a"}, {"b"}}, cancels: []string{"a"}},
		"same chunk, open batch":  {first: []schema.Message{a, b, cancel("a"), request("c", 1)}, plans: [][]string{{"a", "b"}, {"c"}}, cancels: []string{"a"}},
		"twice":                   {first: []schema.Message{a, cancel("a"), cancel("a")}, plans: [][]string{{"a"}}, cancels: []string{"a", "a"}},
		"asked for again":         {first: []schema.Message{a, cancel("a"), a}, plans: [][]string{{"a"}}, cancels: []string{"a"}},
		"before its request":      {first: []schema.Message{cancel("a"), a}, plans: [][]string{{"a"}}, letters: []string{"nothing_to_cancel 0/0"}},
		"nobody asked for it":     {first: []schema.Message{cancel("x"), a}, plans: [][]string{{"a"}}, letters: []string{"nothing_to_cancel 0/0"}},
		"its request was refused": {first: []schema.Message{requestOf("a", "", -1), cancel("a")}, letters: []string{"invalid_request 0/0", "nothing_to_cancel 0/1"}},
		"broken":                  {first: []schema.Message{a, broken}, plans: [][]string{{"a"}}, letters: []string{"invalid_request 0/1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(1, 1)
				planned := map[string]bool{} // when each command was written
				w.fault = func(op string) (bool, error) {
					if op == "command" {
						w.mu.Lock()
						defer w.mu.Unlock()
						for _, p := range slices.Concat(w.plans...) {
							for _, it := range p.Items {
								planned[it.PayoutID] = true
							}
						}
					}
					return true, nil
				}
				w.write(0, tt.first...)
				go func() {
					time.Sleep(2 * time.Second)
					w.write(0, tt.second...)
				}()
				cfg := patient
				if tt.second != nil {
					cfg.MaxWait = time.Second
				}
				w.run(t, cfg, 30*time.Second)
				var cancels []string
				for _, c := range w.commands[0] {
					cancels = append(cancels, c.PayoutID)
					want := schema.Command{Kind: schema.CmdCancel, PayoutID: c.PayoutID, Topic: requestsTopic, By: "order system /shop", Reason: "returned"}
					if diff := cmp.Diff(want, c, cmpopts.IgnoreFields(schema.Command{}, "At")); diff != "" {
						t.Errorf("command (-want +got):\n%s", diff)
					}
					if !planned[c.PayoutID] {
						t.Errorf("the cancel of %s is passed on before its plan is in the log", c.PayoutID)
					}
				}
				if diff := cmp.Diff(tt.plans, w.planned()); diff != "" {
					t.Errorf("plans (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.cancels, cancels); diff != "" {
					t.Errorf("cancels (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(tt.letters, w.letters()); diff != "" {
					t.Errorf("letters (-want +got):\n%s", diff)
				}
				if got, want := w.offsets()[0], int64(len(tt.first)+len(tt.second)); got != want {
					t.Errorf("committed %d, want %d", got, want)
				}
				statuses := w.events()
				for _, s := range statuses {
					if strings.Contains(string(s.Value), schema.CodeNothingToCancel) {
						t.Error("an event about a cancel could be taken for one about its request")
					}
				}
			})
		})
	}
}

// TestCancelIsNotLost has every write fail, with and without effect: no cancel is
// committed that is not in the commands.
func TestCancelIsNotLost(t *testing.T) {
	t.Parallel()
	for name, applies := range map[string]bool{"lost": false, "acknowledgement lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(1, 1)
				failures := 3
				w.fault = func(op string) (bool, error) {
					if op == "command" && failures > 0 {
						failures--
						return applies, errFault
					}
					return true, nil
				}
				w.checkpoint = func(offsets map[int]int64) {
					if offsets[0] > 1 && len(w.commands[0]) == 0 {
						t.Error("committed, and no command")
					}
				}
				w.write(0, request("a", 10), cancel("a"))
				w.run(t, consumer.Config{}, 30*time.Second)
				if failures != 0 || len(w.commands[0]) == 0 || w.offsets()[0] != 2 {
					t.Errorf("%d commands, committed %d, %d failures left", len(w.commands[0]), w.offsets()[0], failures)
				}
			})
		})
	}
}
