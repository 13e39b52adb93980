package consumer_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
)

// A group that is set back reads again what was answered. Nothing of it is paid,
// refused or found in conflict once more; what no batch has is put aside.
func TestBelowTheFloor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		broken := request("id-broken", 1)
		broken.Value = broken.Value[:20]
		w.write(0, request("id-1", 10), broken, request("id-1", 11), request("id-2", 10))
		w.run(t, consumer.Config{}, 3*time.Second)
		before := w.letters()
		if len(w.planned()) == 0 || w.offsets()[0] != 4 || w.floors[0] != 4 {
			t.Fatalf("plans %v, committed %v, floors %v", w.planned(), w.offsets(), w.floors)
		}
		// The plan of id-2 is in quarantine: nobody has it.
		w.plans[0] = slices.DeleteFunc(w.plans[0], func(p *schema.Plan) bool {
			p.Items = slices.DeleteFunc(p.Items, func(it schema.PlanItem) bool { return it.PayoutID == "id-2" })
			return len(p.Items) == 0
		})
		plans := len(w.log())
		w.stored = map[int]int64{0: 0}
		w.write(0, request("id-3", 10))
		w.run(t, consumer.Config{}, 3*time.Second)
		if got := w.letters()[len(before):]; len(got) != 1 || got[0] != "below_floor 0/3" {
			t.Errorf("letters %v", got)
		}
		if all := slices.Concat(w.planned()[plans:]...); !slices.Equal(all, []string{"id-3"}) {
			t.Errorf("planned %v", all)
		}
		if w.offsets()[0] != 5 {
			t.Errorf("committed %v", w.offsets())
		}
	})
}

// What a person accepts, or a group that was set forward passed over, has had no
// answer: there a cancel is obeyed, and whatever no batch has is put aside, also if
// it is invalid or out of place as things stand, for that can be mended.
func TestBelowAnAcceptedFloor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		broken := request("id-broken", 1)
		broken.Value = broken.Value[:20]
		w.write(0, request("id-0", 10))
		w.run(t, consumer.Config{}, 3*time.Second)
		w.write(0, broken, request("id-1", 10), cancel("id-0"), request("id-2", 10))
		a := w.assignment()
		a.Partitions[0].Floor, a.Partitions[0].Answered = 4, 1
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := consumer.New(consumer.Config{}, w.ports()).Run(ctx, a); err != nil {
			t.Error(err)
		}
		if got := w.letters(); !slices.Equal(got, []string{"below_floor 0/1", "below_floor 0/2"}) {
			t.Errorf("letters %v", got)
		}
		if got := slices.Concat(w.planned()...); !slices.Equal(got, []string{"id-0", "id-2"}) {
			t.Errorf("planned %v", got)
		}
		if len(w.commands[0]) != 1 || w.commands[0][0].PayoutID != "id-0" {
			t.Errorf("cancels %+v", w.commands[0])
		}
	})
}

// No commit is ever above its floor, whatever fails; and without a floor there is
// no commit.
func TestFloorBeforeCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.write(0, requests(0, 10)...)
		fails := true
		w.fault = func(op string) (bool, error) {
			if op == "raise" && fails {
				return false, errors.New("not allowed to write the journal")
			}
			return true, nil
		}
		w.run(t, consumer.Config{}, 5*time.Second)
		if len(w.offsets()) != 0 || len(w.planned()) == 0 {
			t.Errorf("committed %v, planned %v", w.offsets(), w.planned())
		}
		fails = false
		w.run(t, consumer.Config{}, 5*time.Second)
		if !maps.Equal(w.offsets(), map[int]int64{0: 10}) {
			t.Errorf("committed %v", w.offsets())
		}
	})
}
