package consumer

// progress knows how far a partition is answered without a gap. Offsets
// themselves may have gaps: markers and aborted transactions take some.
type progress struct {
	next   int64 // everything before it is answered
	end    int64 // of the partition, when it was last read
	stored int64 // the last offset known to be committed
	part   *Partition
	first  uint64 // number of slots[0]; slots are numbered for ever
	slots  []slot // read, and from the first one that is not answered
}

// A slot is a stretch of the partition that is answered as one.
type slot struct {
	next     int64 // the offset after it
	answered bool
}

// A place is where a request stands in its partition's progress.
type place struct {
	progress *progress
	number   uint64
}

func newProgress(part *Partition) *progress {
	return &progress{next: part.From, end: part.From, stored: part.From, part: part}
}

// add notes what ends before next, in the order of the partition.
func (p *progress) add(next int64) place {
	p.slots = append(p.slots, slot{next: next})
	return place{p, p.first + uint64(len(p.slots)) - 1}
}

// answered says that nothing has to be done any more for what stands here.
func (pl place) answered() {
	p := pl.progress
	p.slots[pl.number-p.first].answered = true
	n := 0
	for n < len(p.slots) && p.slots[n].answered {
		p.next = p.slots[n].next
		n++
	}
	p.slots = p.slots[n:]
	p.first += uint64(n)
}
