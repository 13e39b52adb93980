package consumer_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
)

// testSeal is a [consumer.Seal] that has its key or not. Its boxes are no secret;
// what they hold is tried in packages schema and seal.
type testSeal struct{ missing atomic.Bool }

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
	if s.missing.Load() {
		return errNoKey
	}
	p.Seal("2000-01", s.Content, box)
	return nil
}

func (s *testSeal) SealLetter(d *schema.DeadLetter, merchant string) error {
	if s.missing.Load() {
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
