package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
)

// TestNothingIsLost runs planners in a world of faults: ports fail before or
// after the deed, processes are killed or told to stop at any moment and
// started again from what was committed. With every commit that lands, and at
// the end, everything before the committed offsets must be answered.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { survive(t, seed) })
		})
	}
}

func survive(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	w := newWorld(1+rng.IntN(3), 1+rng.IntN(3))
	w.batch = 1 + rng.IntN(20)
	for p := range w.requests {
		w.write(p, mixture(rng, 100+rng.IntN(200))...)
	}
	w.checkpoint = func(offsets map[int]int64) {
		for p, offset := range offsets {
			w.checkAnswered(t, p, w.stored[p], offset)
		}
	}
	cfg := consumer.Config{
		MaxItems: 1 + rng.IntN(10), MaxAmount: int64(rng.IntN(5000)), MaxOpen: 1 + rng.IntN(3), MaxUnanswered: 10 + rng.IntN(100),
		MaxWait: time.Duration(rng.IntN(3)) * time.Second, CommitEvery: 100 * time.Millisecond, StopTimeout: time.Second,
		Sampling: consumer.Sampling{NewInRow: 1 + rng.IntN(3), OneIn: 1 + rng.IntN(8), Unasked: 10 + rng.IntN(100)},
	}
	rate := rng.Float64() / 2
	faults := rand.New(rand.NewPCG(seed, 8))
	if seed%2 == 0 {
		w.seal = &testSeal{}
	}
	var dead atomic.Bool
	w.fault = func(string) (bool, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.seal.lose(faults)
		switch {
		case dead.Load():
			return false, errors.New("the process is gone")
		case faults.Float64() < rate:
			return faults.IntN(2) == 0, errFault
		}
		return true, nil
	}
	for range 8 {
		dead.Store(false)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Duration(rng.IntN(3000))*time.Millisecond, func() {
			dead.Store(rng.IntN(3) > 0) // killed, or told to stop
			cancel()
		})
		if err := consumer.New(cfg, w.ports()).Run(ctx, w.assignment()); err != nil {
			t.Errorf("the run ended with %v", err)
		}
		cancel()
	}
	dead.Store(false)
	w.fault = nil
	w.seal.lose(nil)
	w.run(t, cfg, 10*time.Minute)
	for p := range w.requests {
		if n := int64(len(w.requests[p])); w.offsets()[p] != n {
			t.Errorf("partition %d: committed %d of %d in the end", p, w.offsets()[p], n)
		}
		w.checkAnswered(t, p, 0, int64(len(w.requests[p])))
	}
}

// lose takes keys away and brings them back; all, without a die.
func (s *testSeal) lose(die *rand.Rand) {
	switch {
	case s == nil:
	case die == nil:
		s.missing.Store(false)
		s.without.Store(nil)
	case die.IntN(4) == 0:
		s.missing.Store(die.IntN(4) == 0)
		s.without.Store([]*string{nil, new("default"), new("other")}[die.IntN(3)])
	}
}

// mixture is requests with duplicates, conflicts and garbage among them.
func mixture(rng *rand.Rand, n int) []schema.Message {
	out := make([]schema.Message, n)
	for i := range out {
		id := fmt.Sprintf("id-%d", rng.IntN(n))
		switch rng.IntN(10) {
		case 0:
			out[i] = schema.Message{Key: []byte(id), Value: []byte("garbage")}
		case 1:
			out[i] = schema.Message{Value: []byte(`{"payoutId":"` + id + `"}`)}
		case 2:
			out[i] = request(id, 20)
		case 3:
			out[i] = requestOf(id, "other", 10)
		default:
			out[i] = request(id, 10)
		}
	}
	return out
}

// checkAnswered checks that every request of a stretch has its answer: it is in
// a plan, or its id is owned by another with the same content, or it is a dead
// letter. It is called under mu.
func (w *world) checkAnswered(t *testing.T, partition int, from, to int64) {
	inPlans := make(map[schema.Source]bool)
	owners := make(map[string]schema.Digest)
	for shard, plans := range w.plans {
		for _, p := range plans {
			for _, it := range p.Items {
				inPlans[it.Source] = true
			}
		}
		maps.Copy(owners, w.owners(shard))
	}
	letters, refusals := make(map[string]bool), make(map[schema.Source]bool)
	for _, m := range w.dead {
		letters[sourceOf(m)] = true
	}
	for _, m := range w.statuses {
		s, err := schema.DecodeStatus(m)
		if err != nil {
			t.Error(err)
		}
		refusals[s.Source] = true
	}
	for o := from; o < to; o++ {
		m := w.requests[partition][o]
		source := schema.Source{Topic: requestsTopic, Partition: partition, Offset: o}
		dead := letters[fmt.Sprintf("%d/%d", partition, o)]
		e, err := schema.DecodeRequest(m, nil)
		if err != nil {
			if !dead {
				t.Errorf("%v is invalid, committed, and no dead letter", source)
			}
			if strings.HasPrefix(string(m.Value), "{") && !refusals[source] {
				t.Errorf("%v is invalid, committed, and not refused", source)
			}
			continue
		}
		owner, owned := owners[e.Request.PayoutID]
		content := w.content(&e.Request)
		switch same := owned && owner == content; {
		case inPlans[source], same, dead:
		case w.duplicateOfPlanned(e.Request):
			// Left out beside an item that then lost against another process.
		default:
			t.Errorf("%v (%s) is committed and has no answer", source, e.Request.PayoutID)
		}
		if dead && owned && owner == content {
			t.Errorf("%v is a dead letter, but it is what owns its id", source)
		}
	}
}

// content is the digest that plans carry of a request.
func (w *world) content(r *schema.Request) schema.Digest {
	if w.seal != nil {
		return w.seal.Content(r)
	}
	return r.Content()
}

func (w *world) duplicateOfPlanned(q schema.Request) bool {
	for _, p := range w.plans[schema.Shard(q.PayoutID, w.shards)] {
		for i := range p.Items {
			if p.Items[i].PayoutID == q.PayoutID && p.Content(i) == w.content(&q) {
				return true
			}
		}
	}
	return false
}

// brokenReader raises an alarm after what it has.
type brokenReader struct{ reader }

func (r *brokenReader) Next(ctx context.Context) (consumer.Batch, error) {
	b, err := r.reader.Next(ctx)
	if len(b.Records) == 0 && err == nil {
		return b, errFault
	}
	return b, err
}

// TestAlarmEndsTheRun: what was read before it is planned and committed.
func TestAlarmEndsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(2, 1)
		w.write(0, requests(0, 3)...)
		a := w.assignment()
		a.Partitions[0].Reader = &brokenReader{reader{world: w}}
		err := consumer.New(consumer.Config{MaxWait: time.Hour}, w.ports()).Run(t.Context(), a)
		if !errors.Is(err, errFault) {
			t.Errorf("the run ended with %v", err)
		}
		if w.offsets()[0] != 3 || len(w.planned()) != 1 {
			t.Errorf("committed %d, planned %v", w.offsets()[0], w.planned())
		}
	})
}
