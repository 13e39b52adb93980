package consumer_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
)

// looks returns how many ids were asked for and looked at since the last call.
func (w *world) looks() (asked, glanced int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked, glanced = w.asked, w.glanced
	w.asked, w.glanced = 0, 0
	return asked, glanced
}

// TestAsked counts what is asked for: all at first, a sample while everything is
// new, all again after a known one, and always what would become something else
// than a plan.
func TestAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		go w.run(t, consumer.Config{MaxItems: 10}, time.Hour)
		for _, step := range []struct {
			name           string
			write          []schema.Message
			planned        int
			asked, glanced int
		}{
			{"the first", requests(0, 16), 16, 16, 0},
			{"new ones", requests(100, 160), 160, 0, 10},
			{"a cancel among new ones", append([]schema.Message{cancel("id-100")}, requests(300, 16)...), 16, 1, 1},
			{"all again", requests(100, 160), 0, 160, 10},
			{"some, after known ones", requests(400, 4), 4, 4, 0},
			{"others", requests(500, 12), 12, 12, 0},
			{"new ones again", requests(600, 16), 16, 0, 1},
			{"one that is known between two looks", append(requests(700, 8), requests(600, 1)...), 9, 0, 1},
		} {
			before := len(slices.Concat(w.planned()...))
			w.write(0, step.write...)
			time.Sleep(10 * time.Second)
			if n := len(slices.Concat(w.planned()...)) - before; n != step.planned {
				t.Errorf("%s: planned %d, want %d", step.name, n, step.planned)
			}
			if asked, glanced := w.looks(); asked != step.asked || glanced != step.glanced {
				t.Errorf("%s: asked for %d and looked at %d, want %d and %d", step.name, asked, glanced, step.asked, step.glanced)
			}
			if n := int64(len(w.requests[0])); w.offsets()[0] != n {
				t.Errorf("%s: committed %d of %d", step.name, w.offsets()[0], n)
			}
		}
		if len(w.commands[0]) != 1 || len(w.letters()) != 0 {
			t.Errorf("cancels %v, letters %v", w.commands[0], w.letters())
		}
	})
}

// TestAskedWhereTheClaimsCannotBeRead: whoever cannot look asks, and that waits.
func TestAskedWhereTheClaimsCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.write(0, requests(0, 16)...)
		go w.run(t, consumer.Config{}, time.Hour)
		time.Sleep(10 * time.Second)
		w.mu.Lock()
		w.away = errors.New("the claims are away")
		w.mu.Unlock()
		w.looks()
		w.write(0, requests(100, 50)...)
		time.Sleep(10 * time.Second)
		if asked, _ := w.looks(); asked != 50 {
			t.Errorf("asked for %d of 50", asked)
		}
	})
}

// TestPlansNoFurtherThanWorkersFold: without a worker, planning stops.
func TestPlansNoFurtherThanWorkersFold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.batch = 10
		w.write(0, requests(0, 20)...)
		var away atomic.Bool
		w.fault = func(op string) (bool, error) {
			if op == "known" && away.Load() {
				return false, errors.New("the plans are not folded")
			}
			return true, nil
		}
		go w.run(t, consumer.Config{Sampling: consumer.Sampling{Unasked: 50}}, time.Hour)
		time.Sleep(10 * time.Second)
		away.Store(true)
		w.write(0, requests(100, 200)...)
		time.Sleep(10 * time.Second)
		if n := len(slices.Concat(w.planned()...)); n != 70 {
			t.Errorf("planned %d, want the first 20 and 50 more", n)
		}
		away.Store(false)
		time.Sleep(time.Minute)
		if n := len(slices.Concat(w.planned()...)); n != 220 {
			t.Errorf("planned %d of 220 in the end", n)
		}
	})
}
