package redisclaim

// Meta is the key with a shard's state.
func (s *Store) Meta(shard int) string { return s.meta(shard) }

// DigestOf is the field of a payout id's claim.
func DigestOf(payoutID string) string {
	d := digestOf(payoutID)
	return string(d[:])
}

// AwaitSweeps returns when nothing is being removed in the background.
func (s *Store) AwaitSweeps() { s.sweeping.Wait() }
