package redisclaim

import (
	"context"

	"github.com/toplu/toplu/worker"
)

// Meta is the key with a shard's state.
func (s *Store) Meta(shard int) string { return s.meta(shard) }

// FoldDigests folds digests that no payout id is known to have.
func (s *Store) FoldDigests(ctx context.Context, f worker.Fold, digests []string) ([]worker.Owner, error) {
	return s.fold(ctx, &f, ofBytes(digests))
}

// LookupDigests asks for such digests.
func (s *Store) LookupDigests(ctx context.Context, shard int, epoch string, through int64, digests []string) ([]worker.Owner, error) {
	return s.lookup(ctx, shard, epoch, through, ofBytes(digests))
}

func ofBytes(digests []string) []digest {
	ids := make([]digest, len(digests))
	for i, d := range digests {
		ids[i] = digest([]byte(d))
	}
	return ids
}

// ClaimSize is how many bytes of a bucket a claim takes.
const ClaimSize = claimSize

// DigestOf is what the claim of a payout id begins with.
func DigestOf(payoutID string) string {
	d := digestOf(payoutID)
	return string(d[:])
}

// AwaitSweeps returns when nothing is being removed in the background.
func (s *Store) AwaitSweeps() { s.sweeping.Wait() }
