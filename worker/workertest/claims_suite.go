package workertest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A Tamper damages claims behind their owner's back, as people, evictions and
// restored dumps do.
type Tamper interface {
	// Wipe deletes all that stands for the shard.
	Wipe(shard int)
	// Snapshot remembers what stands for the shard; restore rolls it back to that.
	Snapshot(shard int) (restore func())
	// DeleteState deletes the shard's state, but no claim.
	DeleteState(shard int)
	// DeleteClaim deletes the claim of one payout id.
	DeleteClaim(shard int, payoutID string)
	// DeleteBucket deletes the bucket in which the payout id's claim lies.
	DeleteBucket(shard int, payoutID string)
}

const (
	suiteShard = 3
	suiteLog   = "log-1"
	suiteEpoch = "epoch-1"
)

// TestClaims checks every rule of [worker.Claims], in parallel with other tests
// and with each other. open is called for each and returns claims in which
// nothing stands.
func TestClaims(t *testing.T, open func(t *testing.T) (worker.Claims, Tamper)) {
	t.Parallel()
	for _, rule := range []struct {
		name  string
		check func(s *claimsSuite)
	}{
		{"nothing stands", (*claimsSuite).nothingStands},
		{"begin", (*claimsSuite).begin},
		{"the first plan owns", (*claimsSuite).firstOwns},
		{"a plan without items", (*claimsSuite).noItems},
		{"the same fold again", (*claimsSuite).again},
		{"predecessors", (*claimsSuite).predecessors},
		{"low", (*claimsSuite).low},
		{"another epoch", (*claimsSuite).otherEpoch},
		{"a new epoch is empty", (*claimsSuite).newEpoch},
		{"wiped", (*claimsSuite).wiped},
		{"rolled back", (*claimsSuite).rolledBack},
		{"state deleted", (*claimsSuite).stateDeleted},
		{"a claim deleted", (*claimsSuite).claimDeleted},
		{"a bucket deleted", (*claimsSuite).bucketDeleted},
		{"condemned", (*claimsSuite).condemned},
		{"lookup", (*claimsSuite).lookup},
		{"shards", (*claimsSuite).shards},
		{"wrong calls", (*claimsSuite).wrongCalls},
		{"large plans", (*claimsSuite).large},
		{"a random log", (*claimsSuite).randomLog},
		{"two workers fold the same log", (*claimsSuite).race},
		{"a dead context", (*claimsSuite).deadContext},
	} {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			c, tamper := open(t)
			rule.check(&claimsSuite{T: t, claims: c, tamper: tamper})
		})
	}
}

type claimsSuite struct {
	*testing.T
	claims worker.Claims
	tamper Tamper
}

func (s *claimsSuite) nothingStands() {
	_, err := s.claims.State(s.Context(), suiteShard)
	s.wantError("State", err, worker.ErrClaimsLost)
	_, err = s.claims.Fold(s.Context(), plan(0, worker.None, "a"))
	s.wantError("Fold", err, worker.ErrClaimsLost)
	_, err = s.claims.Lookup(s.Context(), suiteShard, suiteEpoch, worker.None, []string{"a"})
	s.wantError("Lookup", err, worker.ErrClaimsLost)
}

func (s *claimsSuite) begin() {
	s.start()
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: worker.None})
	s.fold(plan(0, worker.None, "a"), owned(0, "a"))
	s.start() // the same epoch: nothing changes
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: 0, Count: 1})
	s.lookupAll(0, owned(0, "a"))
}

func (s *claimsSuite) firstOwns() {
	s.start()
	s.fold(plan(4, worker.None, "a", "b"), owned(4, "a", "b"))
	s.fold(plan(7, 4, "c", "b", "d"), owned(7, "c"), owned(4, "b"), owned(7, "d"))

	// Other content under a used id: the answer has the owner's, not ours.
	f := plan(9, 7, "a", "e")
	f.Items[0].Content = content("something else")
	s.fold(f, owned(4, "a"), owned(9, "e"))

	// A copy of the first plan owns nothing.
	s.fold(plan(10, 9, "a", "b"), owned(4, "a", "b"))
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: 10, Count: 5})
	s.lookupAll(10, owned(4, "a", "b"), owned(7, "c", "d"), owned(9, "e"))
}

func (s *claimsSuite) noItems() {
	s.start()
	s.fold(plan(0, worker.None))
	s.fold(plan(1, 0, "a"), owned(1, "a"))
	s.fold(plan(0, worker.None))
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: 1, Count: 1})
}

func (s *claimsSuite) again() {
	s.start()
	first, second := plan(4, worker.None, "a", "b"), plan(7, 4, "c", "b")
	for range 2 {
		s.fold(first, owned(4, "a", "b"))
	}
	for range 2 {
		s.fold(second, owned(7, "c"), owned(4, "b"))
		s.fold(first, owned(4, "a", "b"))
	}
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: 7, Count: 3})
}

func (s *claimsSuite) predecessors() {
	s.start()
	s.fold(plan(4, worker.None, "a"), owned(4, "a"))
	s.fold(plan(7, 4, "b"), owned(7, "b"))
	// At or past the record nothing is claimed, whatever it names as predecessor.
	_, err := s.claims.Fold(s.Context(), plan(6, 4, "new"))
	s.wantError("a plan that was never folded, below the watermark", err, worker.ErrClaimsCorrupt)
	_, err = s.claims.Fold(s.Context(), plan(6, 4, "b"))
	s.wantError("a plan whose item is a later plan's", err, worker.ErrClaimsCorrupt)
	// Between predecessor and record.
	_, err = s.claims.Fold(s.Context(), plan(9, 5, "new"))
	s.wantLow("past the predecessor", err, worker.LowError{Watermark: 7, Want: 9})
	s.lookupAll(7, owned(4, "a"), owned(7, "b"), owned(worker.None, "new"))
}

func (s *claimsSuite) low() {
	s.start()
	_, err := s.claims.Fold(s.Context(), plan(7, 4, "a"))
	s.wantLow("nothing folded", err, worker.LowError{Watermark: worker.None, Want: 4})
	s.fold(plan(4, worker.None, "a"), owned(4, "a"))
	_, err = s.claims.Fold(s.Context(), plan(9, 7, "b"))
	s.wantLow("one missing", err, worker.LowError{Watermark: 4, Want: 7})
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: 4, Count: 1})
}

func (s *claimsSuite) otherEpoch() {
	s.start()
	s.fold(plan(100, worker.None, "a"), owned(100, "a"))
	f := plan(4, worker.None, "a")
	f.Epoch = "epoch-2"
	_, err := s.claims.Fold(s.Context(), f)
	s.wantError("Fold", err, worker.ErrClaimsLost)
	_, err = s.claims.Lookup(s.Context(), suiteShard, "epoch-2", worker.None, []string{"a"})
	s.wantError("Lookup", err, worker.ErrClaimsLost)
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: 100, Count: 1})
}

func (s *claimsSuite) newEpoch() {
	s.start()
	s.fold(plan(0, worker.None, ids(0, 500)...), owned(0, ids(0, 500)...))
	for range 2 { // there and back again: an epoch that was before is empty too
		for _, epoch := range []string{"epoch-2", suiteEpoch} {
			if err := s.claims.Begin(s.Context(), suiteShard, suiteLog, epoch); err != nil {
				s.Fatal(err)
			}
			s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: epoch, Watermark: worker.None})
			f := plan(1, worker.None, ids(400, 600)...)
			f.Epoch = epoch
			s.fold(f, owned(1, ids(400, 600)...))
		}
	}
}

func (s *claimsSuite) wiped() {
	s.start()
	s.fold(plan(0, worker.None, "a"), owned(0, "a"))
	s.tamper.Wipe(suiteShard)
	s.nothingStands()
	s.start()
	s.fold(plan(0, worker.None, "a"), owned(0, "a"))
}

func (s *claimsSuite) rolledBack() {
	s.start()
	s.fold(plan(0, worker.None, ids(0, 300)...), owned(0, ids(0, 300)...))
	restore := s.tamper.Snapshot(suiteShard)
	s.fold(plan(1, 0, ids(200, 500)...), owned(0, ids(200, 300)...), owned(1, ids(300, 500)...))
	restore()

	_, err := s.claims.Fold(s.Context(), plan(2, 1, ids(400, 600)...))
	s.wantLow("Fold", err, worker.LowError{Watermark: 0, Want: 1})
	_, err = s.claims.Lookup(s.Context(), suiteShard, suiteEpoch, 1, []string{"id-450"})
	s.wantLow("Lookup", err, worker.LowError{Watermark: 0, Want: 1})

	s.fold(plan(1, 0, ids(200, 500)...), owned(0, ids(200, 300)...), owned(1, ids(300, 500)...))
	s.fold(plan(2, 1, ids(400, 600)...), owned(1, ids(400, 500)...), owned(2, ids(500, 600)...))
}

func (s *claimsSuite) stateDeleted() {
	s.start()
	s.fold(plan(0, worker.None, ids(0, 300)...), owned(0, ids(0, 300)...))
	s.tamper.DeleteState(suiteShard)
	s.nothingStands()
	s.start()
	s.fold(plan(0, worker.None, ids(0, 300)...), owned(0, ids(0, 300)...))
}

func (s *claimsSuite) claimDeleted() {
	s.damaged(func() { s.tamper.DeleteClaim(suiteShard, "id-7") })
}

func (s *claimsSuite) bucketDeleted() {
	s.damaged(func() { s.tamper.DeleteBucket(suiteShard, "id-7") })
}

// damaged checks that whatever touches the bucket of id-7 fails and changes nothing.
func (s *claimsSuite) damaged(damage func()) {
	s.start()
	s.fold(plan(0, worker.None, ids(0, 300)...), owned(0, ids(0, 300)...))
	damage()
	want := worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: 0, Count: 300}
	for _, f := range []worker.Fold{
		plan(0, worker.None, ids(0, 300)...), // an answer
		plan(1, 0, "new", "id-7"),            // would be claimed
		plan(1, 0, ids(300, 3000)...),        // touches, and splits, every bucket
	} {
		_, err := s.claims.Fold(s.Context(), f)
		s.wantError("Fold", err, worker.ErrClaimsCorrupt)
		s.wantState(want)
	}
	_, err := s.claims.Lookup(s.Context(), suiteShard, suiteEpoch, 0, []string{"id-7"})
	s.wantError("Lookup", err, worker.ErrClaimsCorrupt)

	// A new epoch heals.
	if err := s.claims.Begin(s.Context(), suiteShard, suiteLog, "epoch-2"); err != nil {
		s.Fatal(err)
	}
	f := plan(0, worker.None, ids(0, 300)...)
	f.Epoch = "epoch-2"
	s.fold(f, owned(0, ids(0, 300)...))
}

// condemned checks that claims are given up, and those of another epoch are not.
func (s *claimsSuite) condemned() {
	s.start()
	s.fold(plan(0, worker.None, "a"), owned(0, "a"))
	if err := s.claims.Condemn(s.Context(), suiteShard, "epoch-0"); err != nil {
		s.Fatal(err)
	}
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: 0, Count: 1})
	for range 2 { // the second time there is nothing to give up
		if err := s.claims.Condemn(s.Context(), suiteShard, suiteEpoch); err != nil {
			s.Fatal(err)
		}
	}
	_, err := s.claims.State(s.Context(), suiteShard)
	s.wantError("State", err, worker.ErrClaimsLost)
	_, err = s.claims.Fold(s.Context(), plan(1, 0, "b"))
	s.wantError("Fold", err, worker.ErrClaimsLost)
}

func (s *claimsSuite) lookup() {
	s.start()
	s.lookupAll(worker.None, owned(worker.None, "a"))
	s.lookupAll(worker.None)
	s.fold(plan(5, worker.None, "a", "b"), owned(5, "a", "b"))
	s.lookupAll(5, owned(5, "b"), owned(worker.None, "c"), owned(5, "a", "a"))
	s.lookupAll(2, owned(5, "a"))
	_, err := s.claims.Lookup(s.Context(), suiteShard, suiteEpoch, 6, []string{"a"})
	s.wantLow("past the watermark", err, worker.LowError{Watermark: 5, Want: 6})
}

func (s *claimsSuite) shards() {
	s.start()
	s.fold(plan(0, worker.None, "a"), owned(0, "a"))
	_, err := s.claims.State(s.Context(), suiteShard+1)
	s.wantError("State of another shard", err, worker.ErrClaimsLost)
	if err := s.claims.Begin(s.Context(), suiteShard+1, suiteLog, suiteEpoch); err != nil {
		s.Fatal(err)
	}
	f := plan(8, worker.None, "a")
	f.Shard = suiteShard + 1
	s.fold(f, owned(8, "a"))
	s.lookupAll(0, owned(0, "a"))
}

func (s *claimsSuite) wrongCalls() {
	s.start()
	for _, f := range []worker.Fold{
		plan(4, worker.None, "a", "b", "a"),
		plan(4, 4, "a"),
		plan(4, 5, "a"),
		plan(4, -2, "a"),
	} {
		if _, err := s.claims.Fold(s.Context(), f); err == nil {
			s.Errorf("offset %d, predecessor %d, %d items: no error", f.Offset, f.Predecessor, len(f.Items))
		}
	}
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: worker.None})
}

// large folds plans of 10,000 items, the first into nothing at all, and finds
// every claim again after all the splits.
func (s *claimsSuite) large() {
	const plans, size, step = 5, 10_000, 9_000 // neighbours share 1,000 ids
	s.start()
	for p := range plans {
		first := p * step
		var shared []claim
		if p > 0 {
			shared = owned(int64(p-1), ids(first, first+size-step)...)
		}
		f := plan(int64(p), int64(p)-1, ids(first, first+size)...)
		own := owned(int64(p), ids(first+len(shared), first+size)...)
		for range 2 {
			s.fold(f, shared, own)
		}
	}
	total := (plans-1)*step + size
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: plans - 1, Count: int64(total)})
	for p := range plans {
		first := p * step
		if p > 0 {
			first += size - step
		}
		s.lookupAll(plans-1, owned(int64(p), ids(first, p*step+size)...))
	}
	s.lookupAll(plans-1, owned(worker.None, ids(total, total+1000)...))
}

// randomLog compares with the plainest model there is.
func (s *claimsSuite) randomLog() {
	s.start()
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a reproducible log, not a secret
	model := map[string]worker.Owner{}
	log, answers := []worker.Fold{}, [][]claim{}
	offset := worker.None
	for range 60 {
		f := plan(offset+1+r.Int64N(3), offset)
		offset = f.Offset
		picked := r.Perm(2000)[:r.IntN(300)]
		var want []claim
		for _, n := range picked {
			id := fmt.Sprintf("id-%d", n)
			it := worker.ClaimItem{PayoutID: id, Content: content(fmt.Sprint(id, r.IntN(3)))}
			f.Items = append(f.Items, it)
			if _, ok := model[id]; !ok {
				model[id] = worker.Owner{Offset: f.Offset, Content: it.Content}
			}
			want = append(want, claim{id, model[id]})
		}
		log, answers = append(log, f), append(answers, want)
		s.fold(f, want)
		again := r.IntN(len(log))
		s.fold(log[again], answers[again])
	}
	s.wantState(worker.ClaimsState{
		LogID: suiteLog, Epoch: suiteEpoch, Watermark: offset, Count: int64(len(model)),
	})
}

// race has two workers fold the same log at once, each at its own pace.
func (s *claimsSuite) race() {
	s.start()
	const plans = 60
	var answers [2][plans][]worker.Owner
	var workers sync.WaitGroup
	for w := range answers {
		workers.Go(func() {
			for p := range plans {
				// Each plan shares half of its ids with the next.
				f := plan(int64(p), int64(p)-1, ids(p*50, p*50+100)...)
				owners, err := s.claims.Fold(s.Context(), f)
				if err != nil {
					s.Errorf("worker %d, plan %d: %v", w, p, err)
					return
				}
				answers[w][p] = owners
			}
		})
	}
	workers.Wait()
	if diff := cmp.Diff(answers[0], answers[1]); diff != "" {
		s.Errorf("the workers were told different owners:\n%s", diff)
	}
	for p := 1; p < plans; p++ {
		s.wantOwners(answers[0][p], slices.Concat(
			owned(int64(p-1), ids(p*50, p*50+50)...), owned(int64(p), ids(p*50+50, p*50+100)...)))
	}
}

func (s *claimsSuite) deadContext() {
	s.start()
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	_, err := s.claims.Fold(ctx, plan(0, worker.None, "a"))
	s.wantError("Fold", err, context.Canceled)
	s.wantState(worker.ClaimsState{LogID: suiteLog, Epoch: suiteEpoch, Watermark: worker.None})
}

func (s *claimsSuite) start() {
	s.Helper()
	if err := s.claims.Begin(s.Context(), suiteShard, suiteLog, suiteEpoch); err != nil {
		s.Fatal(err)
	}
}

// A claim is an id and who should own it.
type claim struct {
	id    string
	owner worker.Owner
}

// owned are claims of the plan at offset, or of nobody.
func owned(offset int64, ids ...string) []claim {
	claims := make([]claim, len(ids))
	for i, id := range ids {
		claims[i] = claim{id, worker.Owner{Offset: worker.None}}
		if offset != worker.None {
			claims[i].owner = worker.Owner{Offset: offset, Content: content(id)}
		}
	}
	return claims
}

// ids are id-first up to, not with, id-end.
func ids(first, end int) []string {
	list := make([]string, 0, end-first)
	for n := first; n < end; n++ {
		list = append(list, fmt.Sprintf("id-%d", n))
	}
	return list
}

// plan is a fold of the ids with their usual contents.
func plan(offset, predecessor int64, ids ...string) worker.Fold {
	f := worker.Fold{Shard: suiteShard, Epoch: suiteEpoch, Offset: offset, Predecessor: predecessor}
	for _, id := range ids {
		f.Items = append(f.Items, worker.ClaimItem{PayoutID: id, Content: content(id)})
	}
	return f
}

func content(text string) schema.Digest {
	sum := sha256.Sum256([]byte(text))
	return schema.Digest(sum[:len(schema.Digest{})])
}

// fold folds and compares the owners with want, which is in the items' order.
func (s *claimsSuite) fold(f worker.Fold, want ...[]claim) {
	s.Helper()
	got, err := s.claims.Fold(s.Context(), f)
	if err != nil {
		s.Fatalf("fold of offset %d after %d: %v", f.Offset, f.Predecessor, err)
	}
	s.wantOwners(got, slices.Concat(want...))
}

// lookupAll asks for the ids of want.
func (s *claimsSuite) lookupAll(through int64, want ...[]claim) {
	s.Helper()
	var asked []string
	for _, c := range slices.Concat(want...) {
		asked = append(asked, c.id)
	}
	got, err := s.claims.Lookup(s.Context(), suiteShard, suiteEpoch, through, asked)
	if err != nil {
		s.Fatalf("lookup through %d: %v", through, err)
	}
	s.wantOwners(got, slices.Concat(want...))
}

func (s *claimsSuite) wantOwners(got []worker.Owner, want []claim) {
	s.Helper()
	if len(got) != len(want) {
		s.Fatalf("%d owners, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i].owner {
			s.Fatalf("%s: owner %v, want %v", want[i].id, got[i], want[i].owner)
		}
	}
}

func (s *claimsSuite) wantState(want worker.ClaimsState) {
	s.Helper()
	got, err := s.claims.State(s.Context(), suiteShard)
	if err != nil {
		s.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.Fatalf("state (-want +got):\n%s", diff)
	}
}

func (s *claimsSuite) wantError(call string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("%s: error %v, want %v", call, err, want)
	}
}

func (s *claimsSuite) wantLow(call string, err error, want worker.LowError) {
	s.Helper()
	low, ok := errors.AsType[*worker.LowError](err)
	if !ok {
		s.Fatalf("%s: error %v, want a LowError", call, err)
	}
	if *low != want {
		s.Fatalf("%s: %+v, want %+v", call, *low, want)
	}
}
