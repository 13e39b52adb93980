package redisclaim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/redisclaim"
)

// between runs do once, after a fold has looked and before it writes.
type between struct{ do func() }

func (b *between) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (b *between) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (b *between) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			if do := b.do; cmd.Name() == "hset" && do != nil {
				b.do = nil
				do()
			}
		}
		return next(ctx, cmds)
	}
}

func TestMeanwhileOnMiniredis(t *testing.T) {
	t.Parallel()
	testMeanwhile(t, func(t *testing.T) string { return miniredis.RunT(t).Addr() })
}

// testMeanwhile: between the look of a fold and what it writes others may do whatever
// they do. Nothing is claimed on the strength of what stood before.
func testMeanwhile(t *testing.T, server func(t *testing.T) (addr string)) {
	next := plan("epoch-1", 1, 400) // half of it is owned by plan 0
	for name, c := range map[string]struct {
		meanwhile func(t *testing.T, other *redisclaim.Store)
		wantErr   error
	}{
		"the same plan is folded": {func(t *testing.T, other *redisclaim.Store) {
			fold(t, other, next)
		}, nil},
		"this plan and the one after": {func(t *testing.T, other *redisclaim.Store) {
			fold(t, other, next)
			fold(t, other, plan("epoch-1", 2, 900))
		}, nil},
		"the claims are given up": {func(t *testing.T, other *redisclaim.Store) {
			if err := other.Condemn(t.Context(), shard, "epoch-1"); err != nil {
				t.Error(err)
			}
		}, worker.ErrClaimsLost},
		"another epoch begins": {func(t *testing.T, other *redisclaim.Store) {
			begin(t, other, "epoch-2")
			fold(t, other, plan("epoch-2", 0, 200))
		}, worker.ErrClaimsLost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := server(t)
			other := open(t, dial(t, addr), "toplu")
			begin(t, other, "epoch-1")
			fold(t, other, plan("epoch-1", 0, 200))
			rdb := dial(t, addr)
			store := open(t, rdb, "toplu")
			rdb.AddHook(&between{func() { c.meanwhile(t, other) }})

			owners, err := store.Fold(t.Context(), next)
			if !errors.Is(err, c.wantErr) {
				t.Fatalf("error %v, want %v", err, c.wantErr)
			}
			if err == nil && len(owners) != len(next.Items) {
				t.Fatalf("%d owners of %d items", len(owners), len(next.Items))
			}
			for i, o := range owners {
				if want := int64(i / 200); o.Offset != want {
					t.Fatalf("%s is owned by %d, want %d", next.Items[i].PayoutID, o.Offset, want)
				}
			}
			if err != nil {
				return
			}
			state, err := store.State(t.Context(), shard)
			if want := int64(400); err != nil || state.Count < want {
				t.Errorf("%d claims, %v, want %d or more", state.Count, err, want)
			}
		})
	}

	// A bucket that is damaged meanwhile is noticed by whoever reads it, and at once if
	// its length tells.
	for name, damage := range map[string]func(rdb redis.UniversalClient, bucket string){
		"deleted": func(rdb redis.UniversalClient, bucket string) { rdb.Del(t.Context(), bucket) },
		"cut":     func(rdb redis.UniversalClient, bucket string) { rdb.Set(t.Context(), bucket, "", 0) },
		"of another type": func(rdb redis.UniversalClient, bucket string) {
			rdb.Del(t.Context(), bucket)
			rdb.HSet(t.Context(), bucket, "a", "hash")
		},
	} {
		for _, places := range []int{1, 3} {
			t.Run(fmt.Sprintf("a bucket with %d free is %s", places, name), func(t *testing.T) {
				t.Parallel()
				addr := server(t)
				rdb, behind := dial(t, addr), dial(t, addr)
				store := open(t, rdb, "toplu")
				begin(t, store, "epoch-1")
				fold(t, store, plan("epoch-1", 0, 204))
				bucket, id := withFree(t, tamper{t, rdb, store}, places)
				rdb.AddHook(&between{func() { damage(behind, bucket) }})
				next := worker.Fold{Shard: shard, Epoch: "epoch-1", Offset: 1, Predecessor: 0, Items: items(id)}

				_, err := store.Fold(t.Context(), next)
				if places > 1 {
					wantCorrupt(t, "Fold", err)
				}
				another := open(t, dial(t, addr), "toplu")
				_, err = another.Lookup(t.Context(), shard, "epoch-1", 0, []string{id})
				wantCorrupt(t, "Lookup", err)
				_, err = another.Fold(t.Context(), next)
				wantCorrupt(t, "the same Fold", err)
			})
		}
	}
}
