package worker

import "slices"

// A batch that is answered but has failed items may see their money come back
// for a month. Until its next look it is kept as a few numbers: where its records
// are, and when to look. Its plan is read again then.

// sleepy reports whether nothing but a later look is left to do about a batch.
func (s *Shard) sleepy(b *batch) bool {
	return b.plan != nil && !b.closed && b.phase == completed && b.settled() && b.returnable() &&
		b.drive.lastEvent <= s.outbox.published && !s.hasOrphans(b) && len(b.queue) == 0
}

// sleep lets go of the batch's plan and items until its next look.
func (s *Shard) sleep(b *batch) {
	d := &b.drive
	asleep := &batch{offset: b.offset, merchant: b.merchant, records: b.records}
	asleep.drive = drive{awaits: None, wake: d.wake, note: d.note, report: d.report}
	asleep.drive.reread = slices.Clone(b.records)
	asleep.drive.told = b.records[len(b.records)-1] + 1
	delete(s.batches, b.offset)
	s.asleep[b.offset] = asleep
}

// rouse brings a sleeping batch back, to be read again at once. It reports
// whether there was one.
func (s *Shard) rouse(offset int64) bool {
	b := s.asleep[offset]
	if b == nil {
		return false
	}
	delete(s.asleep, offset)
	s.batches[offset] = b
	b.drive.wake = s.ports.Now()
	s.advance(b)
	return true
}
