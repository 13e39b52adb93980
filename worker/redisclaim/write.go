package redisclaim

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/worker"
)

// write makes v what stands, in one step, if before still does; otherwise it fails
// with [redis.TxFailedErr] and has changed nothing.
//
// The watched meta key is written by whoever changes claims. What changes a bucket
// and not that key is damage: one that was deleted since it was read. A SETRANGE
// makes it anew, and what it answers tells; where nobody gets that answer, the zeros
// before the claim tell whoever reads the bucket, see [vanished].
func (s *Store) write(ctx context.Context, f *worker.Fold, before standing, v *view) error {
	meta := s.meta(f.Shard)
	type put struct {
		length *redis.IntCmd
		want   int
	}
	var puts []put
	err := s.rdb.Watch(ctx, func(tx *redis.Tx) error {
		values, err := tx.HMGet(ctx, meta, fields...).Result()
		if err != nil {
			return err
		}
		if now, err := readStanding(values, f.Epoch); err != nil || now != before {
			return redis.TxFailedErr
		}
		// Commit point: EXEC. A crash before it leaves everything as it was; after it the
		// plan is folded, and whoever folds it again gets the same answer.
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			var sets []any
			for _, b := range v.buckets {
				if !b.anew && b.added == "" {
					continue
				}
				there := b.claims()
				if b.anew {
					there = ""
				}
				count := (len(there) + len(b.added)) / claimSize
				if room := roomOf(count); b.anew || room*claimSize != len(b.content) {
					sets = append(sets, b.key, there+b.added+free(room-count))
					continue
				}
				puts = append(puts, put{p.SetRange(ctx, b.key, int64(len(there)), b.added), len(b.content)})
			}
			if len(sets) > 0 {
				p.MSet(ctx, sets...)
			}
			p.HSet(ctx, meta, "wm", v.watermark, "n", v.claims, "low", v.low, "split", v.split)
			return nil
		})
		return err
	}, meta)
	if err != nil {
		return explain(err)
	}
	for _, p := range puts {
		if p.length.Val() != int64(p.want) {
			return worker.ErrClaimsCorrupt
		}
	}
	s.see(f.Shard, v.standing)
	return nil
}
