package oncall

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
)

// A rate is kept over all that is sent, however it is cut into calls, and is reached
// within a tenth of a second's worth.
func TestSendKeepsTheRate(t *testing.T) {
	for name, tt := range map[string]struct{ rate, calls, events int }{
		"reemit's default":       {5000, 10, 1000},
		"more than a call has":   {50_000, 10, 5000},
		"calls of one tick each": {10_000, 20, 1000},
		"slow":                   {3, 4, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, sent, told := time.Now(), 0, 0
				publish := func(_ context.Context, out []kafkaio.Addressed) error {
					sent += len(out)
					// What may go in this time, and the few that go at its beginning.
					if most := int(time.Since(began).Seconds()*float64(tt.rate)) + max(1, tt.rate/10); sent > most {
						t.Errorf("%d are sent after %s, want %d at most", sent, time.Since(began), most)
					}
					return nil
				}
				p := newPace(tt.rate)
				defer p.stop()
				for range tt.calls {
					if _, err := send(t.Context(), publish, make([]kafkaio.Addressed, tt.events), p, func(n int) { told += n }); err != nil {
						t.Fatal(err)
					}
				}
				all := tt.calls * tt.events
				if fair := time.Duration(float64(all) / float64(tt.rate) * float64(time.Second)); sent != all || told != all || time.Since(began) > fair {
					t.Errorf("%d of %d sent, %d told, in %s instead of %s", sent, all, told, time.Since(began), fair)
				}
			})
		})
	}
}

// What was not let through is not sent, and the number that was is known.
func TestSendEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p, published := newPace(10), 0
		defer p.stop()
		n, err := send(ctx, func(_ context.Context, out []kafkaio.Addressed) error {
			if published += len(out); published == 3 {
				cancel()
			}
			return nil
		}, make([]kafkaio.Addressed, 10), p, func(int) {})
		if n != 3 || published != 3 || err == nil {
			t.Errorf("%d of %d published, error %v", n, published, err)
		}
	})
}
