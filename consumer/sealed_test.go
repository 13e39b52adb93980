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

// testSeal is a [consumer.Seal] that has its key or not. Its boxes are no secret;
// what they hold is tried in packages schema and seal.
type testSeal struct {
	missing atomic.Bool            // all keys
	without atomic.Pointer[string] // the merchant whose key is missing; nil: none
}

// lacks reports whether the merchant's key is not there.
func (s *testSeal) lacks(merchant string) bool {
	name := s.without.Load()
	return s.missing.Load() || name != nil && *name == merchant
}

var errNoKey = errors.New("the key is not there")

func box(_, text []byte) []byte { return append(make([]byte, 28), text...) }

func (*testSeal) Content(r *schema.Request) schema.Digest {
	d := r.Content()
	d[0] ^= 0xff
	return d
}

func (s *testSeal) Same(d schema.Digest, r *schema.Request) bool {
	return d == s.Content(r) || d == r.Content()
}

func (s *testSeal) SealPlan(p *schema.Plan) error {
	if s.lacks(p.Merchant) {
		return errNoKey
	}
	p.Seal("2000-01", s.Content, box)
	return nil
}

func (s *testSeal) SealLetter(d *schema.DeadLetter, merchant string) error {
	if s.missing.Load() { // without its merchant's key it is sealed with that of none
		return errNoKey
	}
	d.Seal(merchant+"/2000-01", box)
	return nil
}

// TestFailsClosed: without its key nothing is written in clear, nor committed; it
// waits, and goes on when the key is there.
func TestFailsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.seal = &testSeal{}
		w.seal.missing.Store(true)
		w.write(0, request("a", 10), schema.Message{Value: []byte("TR33")})
		before := 0
		time.AfterFunc(time.Minute, func() {
			w.mu.Lock()
			before = len(w.plans[0]) + len(w.dead) + len(w.stored)
			w.mu.Unlock()
			w.seal.missing.Store(false)
		})
		w.run(t, consumer.Config{}, 2*time.Minute)
		if before != 0 {
			t.Errorf("%d things were written or committed without the key", before)
		}
		if plans := w.log(); len(plans) != 1 || !plans[0].Closed() || plans[0].Key != "2000-01" {
			t.Errorf("plans: %v", plans)
		}
		if len(w.dead) != 1 || schema.SealedWith(w.dead[0]) == "" {
			t.Errorf("dead letters: %v", w.dead)
		}
		if w.stored[0] != 2 {
			t.Errorf("committed: %v", w.stored)
		}
	})
}

// withdrawn lists the payouts of the first shard's cancels.
func (w *world) withdrawn() (ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.commands[0] {
		ids = append(ids, c.PayoutID)
	}
	return ids
}

// TestOneMerchantsKey: a merchant without its key holds up nobody else, and loses
// nothing: neither its requests, nor what waits behind them.
func TestOneMerchantsKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2, 1)
		w.seal = &testSeal{}
		poor := "poor"
		w.seal.without.Store(&poor)
		w.write(0, request("a", 10), requestOf("x", poor, 10), requestOf("x", poor, 10), requestOf("x", poor, 11), request("b", 10))
		w.write(0, cancel("x"), requestOf("y", poor, 10))
		w.write(1, request("c", 10), schema.Message{Value: []byte("TR33")})
		rich := func() (ids []string) {
			for _, p := range w.log() {
				for i := range p.Items {
					ids = append(ids, p.Items[i].PayoutID)
				}
			}
			slices.Sort(ids)
			return ids
		}
		time.AfterFunc(time.Minute, func() { w.write(1, request("d", 10)) })
		time.AfterFunc(2*time.Minute, func() {
			if got := rich(); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
				t.Errorf("without the key are planned: %v", got)
			}
			if got := w.offsets(); got[0] != 1 || got[1] != 3 {
				t.Errorf("without the key is committed: %v", got)
			}
			if len(w.letters()) != 1 || len(w.withdrawn()) != 0 {
				t.Errorf("without the key: letters %v, cancels %v", w.letters(), w.withdrawn())
			}
			w.seal.without.Store(nil)
		})
		w.run(t, consumer.Config{}, 3*time.Minute)
		if got := rich(); !slices.Equal(got, []string{"a", "b", "c", "d", "x", "y"}) {
			t.Errorf("planned: %v", got)
		}
		if got := w.letters(); !slices.Equal(got, []string{"not_json 1/1", "conflict 0/3"}) {
			t.Errorf("letters: %v", got)
		}
		if got := w.withdrawn(); !slices.Equal(got, []string{"x"}) {
			t.Errorf("cancels: %v", got)
		}
		if got := w.offsets(); got[0] != 7 || got[1] != 3 {
			t.Errorf("committed: %v", got)
		}
	})
}

// TestKeylessIsBounded: what waits for a key does not fill memory without end; what
// is too much is not read, and all goes on when the key is there.
func TestKeylessIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.batch = 5
		w.seal = &testSeal{}
		poor := "poor"
		w.seal.without.Store(&poor)
		w.write(0, requestOf("x", poor, 10))
		w.write(0, requests(0, 100)...)
		time.AfterFunc(time.Minute, func() {
			if n := len(w.planned()); n < 20 || n > 45 {
				t.Errorf("%d are planned beside one that waits, where 30 may be unanswered", n)
			}
			w.seal.without.Store(nil)
		})
		w.run(t, consumer.Config{MaxUnanswered: 30, MaxItems: 1}, 2*time.Minute)
		if n := len(w.planned()); n != 101 {
			t.Errorf("%d are planned in the end", n)
		}
		if got := w.offsets(); got[0] != 101 {
			t.Errorf("committed: %v", got)
		}
	})
}

// TestKnownFromBeforeSealing: a request that was planned in clear, before there
// were keys, is known again, and one that is planned sealed too.
func TestKnownFromBeforeSealing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1, 1)
		w.write(0, request("a", 10))
		w.run(t, consumer.Config{}, time.Second)
		w.seal = &testSeal{}
		w.write(0, request("a", 10), request("b", 10), request("a", 11))
		w.run(t, consumer.Config{}, time.Second)
		w.write(0, request("b", 10), request("b", 11))
		w.run(t, consumer.Config{}, time.Second)
		if got := w.planned(); len(got) != 2 {
			t.Errorf("planned: %v", got)
		}
		if len(w.dead) != 2 {
			t.Errorf("%d conflicts, want those of the other amounts", len(w.dead))
		}
	})
}
