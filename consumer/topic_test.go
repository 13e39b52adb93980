package consumer_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
)

// namesTopics are rules by which "shop" and "default" each name a topic.
func namesTopics(shop, other string) *schema.Rules {
	return &schema.Rules{Merchant: func(name string) (schema.MerchantRules, bool) {
		topic := map[string]string{"shop": shop, "default": other}[name]
		return schema.MerchantRules{Topics: []string{topic}}, topic != ""
	}}
}

// told lists the events by type and payout.
func (w *world) told() []string {
	var out []string
	for _, m := range w.events() {
		kind, _ := m.Get("ce_type")
		out = append(out, kind+" "+string(m.Key))
	}
	return out
}

// TestWrongTopic writes in the name of a merchant that takes nothing from this
// topic: it is answered as any refusal and holds nobody up. Where the id is used up
// already no event says that a payout was refused.
func TestWrongTopic(t *testing.T) {
	t.Parallel()
	refused := schema.TypeRefused
	foreign := func(id string, lira int) schema.Message { return requestOf(id, "shop", lira) }
	for name, tt := range map[string]struct {
		before, after []schema.Message // before the shop named another topic, and after that
		again         bool             // all is read once more, since nothing was committed
		plans         [][]string
		letters, told []string
	}{
		"in another's name": {
			after: []schema.Message{request("a", 1), foreign("x", 1), request("b", 1)},
			plans: [][]string{{"a", "b"}}, letters: []string{"wrong_topic 0/1"}, told: []string{refused + " x"},
		},
		"twice": {
			after:   []schema.Message{foreign("x", 1), foreign("x", 1)},
			letters: []string{"wrong_topic 0/0", "wrong_topic 0/1"}, told: []string{refused + " x", refused + " x"},
		},
		"the id is then used rightly": {
			after: []schema.Message{foreign("a", 1), request("a", 1)},
			plans: [][]string{{"a"}}, letters: []string{"wrong_topic 0/0"}, told: []string{refused + " a"},
		},
		"of a payout that is being filled": {
			after: []schema.Message{request("a", 1), foreign("a", 1)},
			plans: [][]string{{"a"}}, letters: []string{"wrong_topic 0/1"},
		},
		"of a payout that is planned": {
			before: []schema.Message{foreign("x", 1)}, after: []schema.Message{foreign("x", 2)},
			plans: [][]string{{"x"}}, letters: []string{"wrong_topic 0/1"},
		},
		"taken before the change, asked for again": {
			before: []schema.Message{foreign("x", 1)}, after: []schema.Message{foreign("x", 1)},
			plans: [][]string{{"x"}},
		},
		"planned before the change, not committed": {
			before: []schema.Message{foreign("x", 1), request("a", 1)}, again: true, after: []schema.Message{foreign("y", 1)},
			plans: [][]string{{"x"}, {"a"}}, letters: []string{"wrong_topic 0/2"}, told: []string{refused + " y"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(1, 1)
				if tt.before != nil {
					w.write(0, tt.before...)
					w.run(t, consumer.Config{Rules: namesTopics(requestsTopic, requestsTopic), MaxWait: time.Second}, 5*time.Second)
				}
				if tt.again {
					clear(w.stored)
					clear(w.floors)
				}
				w.write(0, tt.after...)
				w.run(t, consumer.Config{Rules: namesTopics("payout.requests.shop", requestsTopic), MaxWait: time.Second}, 5*time.Second)
				plans := w.planned()
				slices.SortFunc(plans, func(a, b []string) int { return slices.Compare(b, a) })
				slices.SortFunc(tt.plans, func(a, b []string) int { return slices.Compare(b, a) })
				if !slices.EqualFunc(plans, tt.plans, slices.Equal) {
					t.Errorf("plans %v, want %v", plans, tt.plans)
				}
				if got := w.letters(); !slices.Equal(got, tt.letters) {
					t.Errorf("letters %v, want %v", got, tt.letters)
				}
				if got := w.told(); !slices.Equal(got, tt.told) {
					t.Errorf("events %v, want %v", got, tt.told)
				}
				if got, want := w.offsets()[0], int64(len(tt.before)+len(tt.after)); got != want {
					t.Errorf("committed %d, want %d", got, want)
				}
			})
		})
	}
}

// A request that was refused for its topic is not refused once more when the group
// is set back.
func TestWrongTopicBelowTheFloor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.write(0, requestOf("x", "shop", 1))
		cfg := consumer.Config{Rules: namesTopics("payout.requests.shop", requestsTopic)}
		w.run(t, cfg, 3*time.Second)
		w.stored = map[int]int64{0: 0}
		w.run(t, cfg, 3*time.Second)
		if got := strings.Join(w.letters(), ", "); got != "wrong_topic 0/0" || len(w.events()) != 1 || w.offsets()[0] != 1 {
			t.Errorf("letters %s, %d events, committed %v", got, len(w.events()), w.offsets())
		}
	})
}

// TestOneIDInTwoTopics has two topics ask for the same ids at the same time, each
// read by a planner of its own. Every request is answered; which of two owns the id
// the plan log says, as between two processes.
func TestOneIDInTwoTopics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2, 1)
		for i := range 20 {
			id := ids(i, 1)[0]
			w.write(0, request(id, 10))
			w.write(1, request(id, 10+i%2)) // every second one with other content
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var runs sync.WaitGroup
		all := w.assignment()
		for n, topic := range []string{requestsTopic, requestsTopic + ".market"} {
			a := consumer.Assignment{Topic: topic, Partitions: all.Partitions[n : n+1], Committer: w, Floors: w}
			runs.Go(func() {
				if err := consumer.New(consumer.Config{MaxItems: 3, MaxWait: time.Second}, w.ports()).Run(ctx, a); err != nil {
					t.Error(err)
				}
			})
		}
		runs.Wait()
		if got := w.offsets(); got[0] != 20 || got[1] != 20 {
			t.Errorf("committed %v", got)
		}
		owners := w.owners(0)
		for _, id := range ids(0, 20) {
			if _, owned := owners[id]; !owned {
				t.Errorf("%s has no owner", id)
			}
		}
		conflicts := len(w.letters())
		for _, p := range w.log() {
			for i := range p.Items {
				if q := p.Request(i); owners[q.PayoutID] != p.Content(i) {
					conflicts++ // the worker makes a letter of it
				}
			}
		}
		if conflicts != 10 {
			t.Errorf("%d conflicts, want one for each id with two contents", conflicts)
		}
	})
}
