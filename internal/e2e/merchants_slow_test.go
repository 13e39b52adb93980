//go:build integration && slow

package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowOneMerchantsTrouble has iyzico answer one merchant's calls with 50000
// and 5xx for a minute. All of the other's payouts are paid meanwhile; how long
// each took, before and during, is measured and told.
func TestSlowOneMerchantsTrouble(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	w.runTwo()
	paid := func(asked []*request) int {
		l.mu.Lock()
		defer l.mu.Unlock()
		n := 0
		for _, r := range asked {
			if l.status[r.PayoutID] == "paid" {
				n++
			}
		}
		return n
	}
	// rounds has both merchants ask, and waits for the one that is well.
	rounds := func(atLeast time.Duration) (took []time.Duration, theirs []*request) {
		for began := time.Now(); time.Since(began) < atLeast; {
			their, our := w.shop.make("", 5), w.shop.make("market", 5)
			w.send(their)
			theirs = append(theirs, their...)
			sent := time.Now()
			w.send(our)
			eventually(t, time.Minute, func() string {
				if n := paid(our); n < len(our) {
					return fmt.Sprintf("%d of %d paid", n, len(our))
				}
				return ""
			})
			took = append(took, time.Since(sent))
		}
		slices.Sort(took)
		return took, theirs
	}
	rounds(5 * time.Second) // warm
	before, well := rounds(20 * time.Second)
	eventually(t, time.Minute, func() string {
		if n := paid(well); n < len(well) {
			return fmt.Sprintf("%d of %d paid", n, len(well))
		}
		return ""
	})

	w.faultsOf("sandbox-default", `{"rateLimit":0.5,"serverError":1}`)
	during, ill := rounds(time.Minute)
	if n := paid(ill); n > 0 {
		t.Errorf("%d payouts of the merchant in trouble were paid: it was in none", n)
	}
	w.faults(`{}`)
	w.judge(l, 2*time.Minute)
	median := func(all []time.Duration) time.Duration { return all[len(all)/2].Round(time.Millisecond) }
	t.Logf("from request to paid, median of %d rounds before and %d during the other's trouble: %v and %v, %d %%; slowest %v and %v",
		len(before), len(during), median(before), median(during), 100*median(during)/median(before), before[len(before)-1].Round(time.Millisecond), during[len(during)-1].Round(time.Millisecond))
	w.stopAll()
}

// faultsOf puts dials of the simulator in force for one merchant's calls.
func (w *world) faultsOf(apiKey, dials string) {
	w.t.Helper()
	res, err := http.Post(w.simulatorURL+"/_simulator/faults?apiKey="+url.QueryEscape(apiKey), "application/json", strings.NewReader(dials))
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("faults: %s", res.Status)
	}
}
