package redisclaim

// Meta is the key with a shard's state.
func (s *Store) Meta(shard int) string { return s.meta(shard) }

// DigestOf is the field of a payout id's claim.
func DigestOf(payoutID string) string {
	d := digestOf(payoutID)
	return string(d[:])
}
