package redisclaim_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/redisclaim"
)

// rooms are for how many claims a bucket may have room; chance makes none longer.
var rooms = []int{0, 4, 8, 13, 17, 21, 26, 30, 35, 43, 52, 61}

// TestBuckets folds random plans, small and large, with many ids that are owned
// already, and reads the buckets themselves: each holds its own claims and no
// other's, none is lost, doubled or changed, and its room is the least that they need.
func TestBuckets(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			server := miniredis.RunT(t)
			store := open(t, dial(t, server.Addr()), "toplu")
			begin(t, store, "epoch-1")
			model := map[string]worker.Owner{}
			offset := worker.None
			for round := range 120 {
				f := worker.Fold{Shard: shard, Epoch: "epoch-1", Offset: offset + 1 + r.Int64N(1<<32), Predecessor: offset}
				offset = f.Offset
				size := r.IntN(4)
				if r.IntN(8) == 0 {
					size = r.IntN(500)
				}
				if round == 100 {
					size = 5000 // splits every bucket, most of them twice
				}
				var want []worker.Owner
				for _, n := range r.Perm(10_000)[:size] {
					id := fmt.Sprint("id-", n)
					it := worker.ClaimItem{PayoutID: id, Content: schema.Digest{byte(r.IntN(3)), 11: byte(n)}}
					f.Items = append(f.Items, it)
					if _, owned := model[id]; !owned {
						model[id] = worker.Owner{Offset: f.Offset, Content: it.Content}
					}
					want = append(want, model[id])
				}
				for i, owner := range fold(t, store, f) {
					if owner != want[i] {
						t.Fatalf("round %d: %s is owned by %v, want %v", round, f.Items[i].PayoutID, owner, want[i])
					}
				}
				wantBuckets(t, server, store, model)
			}
		})
	}
}

// wantBuckets reads all buckets and compares with the model.
func wantBuckets(t *testing.T, server *miniredis.Miniredis, store *redisclaim.Store, model map[string]worker.Owner) {
	t.Helper()
	meta := store.Meta(shard)
	number := func(field string) int {
		n, err := strconv.Atoi(server.HGet(meta, field))
		if err != nil {
			t.Fatal(field, err)
		}
		return n
	}
	low, split := number("low"), number("split")
	claims := map[string]string{}
	for n := range low + split {
		content, err := server.Get(fmt.Sprint(meta, ":", server.HGet(meta, "gen"), ":", n))
		if err != nil {
			t.Fatal(n, err)
		}
		count := 0
		for ; len(content) > 0 && !strings.HasPrefix(content[12:], "\xff\xff\xff\xff\xff"); content = content[redisclaim.ClaimSize:] {
			hash := int(binary.BigEndian.Uint32([]byte(content)))
			at := hash % low
			if at < split {
				at = hash % (2 * low)
			}
			if at != n {
				t.Fatalf("a claim of bucket %d lies in %d", at, n)
			}
			claims[content[:12]] = content[12:redisclaim.ClaimSize]
			count++
		}
		least := 0
		for rooms[least] < count {
			least++
		}
		if free := (rooms[least] - count) * redisclaim.ClaimSize; content != strings.Repeat("\xff", free) {
			t.Fatalf("after %d claims bucket %d ends with %q, want %d bytes free", count, n, content, free)
		}
	}
	if len(claims) != len(model) || number("n") != len(model) || len(model) > 12*(low+split) {
		t.Fatalf("%d claims in %d buckets, %d counted, want %d", len(claims), low+split, number("n"), len(model))
	}
	for id, owner := range model {
		want := string(binary.BigEndian.AppendUint64(nil, uint64(owner.Offset))[3:]) + string(owner.Content[:])
		if got := claims[redisclaim.DigestOf(id)]; got != want {
			t.Fatalf("the claim of %s is %q, want %q", id, got, want)
		}
	}
}

// TestDigestsOfAnyBytes: no digest is taken for a free place, or for what stands
// across two claims.
func TestDigestsOfAnyBytes(t *testing.T) {
	t.Parallel()
	rdb := dial(t, miniredis.RunT(t).Addr())
	store := open(t, rdb, "toplu")
	begin(t, store, "epoch-1")
	content := schema.Digest([]byte(strings.Repeat("\x07", 12)))
	run := func(offset int64, digests ...string) (owners []int64) {
		t.Helper()
		f := worker.Fold{Shard: shard, Epoch: "epoch-1", Offset: offset, Predecessor: offset - 1}
		for range digests {
			f.Items = append(f.Items, worker.ClaimItem{Content: content})
		}
		folded, err := store.FoldDigests(t.Context(), f, digests)
		if err != nil {
			t.Fatal(err)
		}
		looked, err := store.LookupDigests(t.Context(), shard, "epoch-1", offset, digests)
		if err != nil {
			t.Fatal(err)
		}
		for i, owner := range folded {
			if looked[i] != owner || owner.Content != content {
				t.Errorf("%q: the fold says %v, the look-up %v", digests[i], owner, looked[i])
			}
			owners = append(owners, owner.Offset)
		}
		return owners
	}
	zeros, ones := strings.Repeat("\x00", 12), strings.Repeat("\xff", 12)
	first, second := "abcdefghijkl", "mnopqrstuvwx"
	across := strings.Repeat("\x07", 6) + "mnopqr" // the end of the first claim and the beginning of the second
	for _, step := range []struct {
		offset  int64
		digests []string
		want    []int64
	}{
		{0, []string{first, second}, []int64{0, 0}},
		{1, []string{across, zeros, ones}, []int64{1, 1, 1}}, // beside free places
		{2, []string{zeros, ones, across, first}, []int64{1, 1, 1, 0}},
	} {
		if got := run(step.offset, step.digests...); !slices.Equal(got, step.want) {
			t.Errorf("plan %d: %v, want %v", step.offset, got, step.want)
		}
	}
	fold(t, store, plan("epoch-1", 3, 500)) // splits
	if got := run(4, zeros, ones, across); !slices.Equal(got, []int64{1, 1, 1}) {
		t.Errorf("after splits: %v", got)
	}
}
