package redisclaim

// Meta is the key with a shard's state.
func (s *Store) Meta(shard int) string { return s.meta(shard) }

// FoldScript and LookupScript are for digests that no payout id is known to have.
var FoldScript, LookupScript = foldScript, lookupScript

// ClaimSize is how many bytes of a bucket a claim takes.
const ClaimSize = claimSize

// DigestOf is what the claim of a payout id begins with.
func DigestOf(payoutID string) string {
	d := digestOf(payoutID)
	return string(d[:])
}

// AwaitSweeps returns when nothing is being removed in the background.
func (s *Store) AwaitSweeps() { s.sweeping.Wait() }
