//go:build mutation

package simulation_test

// The rules of claims, checkpoints, what is published and what is committed, each
// with the edits that take it out.
var logRules = []mutation{
	{seed: 387, theme: new(twoEpochs), rule: "rule 3: claims name their predecessor", removed: "the watermark is not compared", edits: []edit{
		{file: "worker/workertest/claims_memory.go", old: `	case s.state.Watermark < f.Predecessor:
		return nil, &worker.LowError{Watermark: s.state.Watermark, Want: f.Predecessor}
	default:
		return nil, &worker.LowError{Watermark: s.state.Watermark, Want: f.Offset}
	}`, new: `	}`},
	}},
	{seed: 2, rule: "rule 3: claims know their epoch", removed: "the epoch is not compared", edits: []edit{
		{file: "worker/workertest/claims_memory.go", old: ` || s.state.Epoch != f.Epoch`, new: ``},
		{file: "worker/workertest/claims_memory.go", old: `!ok || s.state.Epoch != epoch`, new: `!ok`, everywhere: true},
		{file: "worker/claim.go", old: `	case state.Epoch != p.epoch:
		return ErrClaimsLost
`, new: ``},
		{file: "worker/claim.go", old: `err == nil && (state.Epoch != epoch || state.LogID != logID)`, new: `err == nil && epoch == ""`},
	}},
	{seed: 4606, theme: new(twoEpochs), rule: "rule 3: an epoch is read back before Redis gets it", removed: "Redis gets it at once, and its folder does not look at the journal again", edits: []edit{
		{file: "worker/claim.go", old: `	if err != nil || current != id {
		return err // another session's counts: look again
	}
`, new: `	if err != nil {
		return err
	}
	_ = current
`},
		{file: "worker/claim.go", old: `	case current != p.epoch:`, new: `	case current == "" && p.epoch == "":`},
	}},
	{seed: 2, rule: "the claims answer who owns an item", removed: "a plan owns all its items", edits: []edit{
		{file: "worker/claim.go", old: `		if o.Offset == f.offset {`, new: `		if o.Offset != None {`},
	}},
	{seed: 22, theme: new(twoEpochs), rule: "a damaged bucket is noticed", removed: "its count is not compared", edits: []edit{
		{file: "worker/workertest/claims_memory.go", old: `	if len(b.owners) != b.count {
		return worker.Owner{}, worker.ErrClaimsCorrupt
	}
`, new: ``},
	}},
	{seed: 19, rule: "a plan below the checkpoint is never driven", removed: "every plan is told again", edits: []edit{
		{file: "worker/claim.go", old: `tell: s.recovery.planOffset, last`, new: `tell: 0, last`},
	}},
	{seed: 332, rule: "a waiting plan is told once", removed: "a look-up that fails begins the range again", edits: []edit{
		{file: "worker/claim.go", old: `		r.From = e.Offset + 1 // told once: twice would be driven twice
`, new: ``},
		{file: "worker/turn.go", old: `; !waits {`, new: `; !waits || waits {`},
	}},
	{seed: 26, rule: "a checkpoint is read on from the offsets it covers", removed: "from its own place", edits: []edit{
		{file: "worker/recover.go", old: `				if r.Checkpoint != nil && (best`, new: `				if r.Checkpoint != nil {
					r.Checkpoint.JournalOffset = e.Offset + 1
				}
				if r.Checkpoint != nil && (best`},
	}},
	{seed: 3, rule: "a checkpoint lists the whole state of what is open", removed: "it lists the plans, without their records", edits: []edit{
		{file: "worker/checkpoint.go", old: `, Records: slices.Clone(b.records)`, new: ``},
	}},
	{seed: 18, theme: new(lostLetters), rule: "a checkpoint waits for the statuses before it", removed: "it does not wait", edits: []edit{
		{file: "worker/checkpoint.go", old: `s.outbox.published < c.after || `, new: ``},
	}},
	{seed: 5, theme: new(lostLetters), rule: "a checkpoint waits for the dead letters before it", removed: "it does not wait", edits: []edit{
		{file: "worker/checkpoint.go", old: ` || c.owing > 0`, new: ``, everywhere: true},
	}},
	{seed: 2, rule: "closed counts only when every item is final", removed: "a batch is closed once iyzico has taken it", edits: []edit{
		{file: "worker/fold.go", old: `		if !b.settled() {
			return nothingToDo
		}
`, new: ``},
		{file: "worker/next.go", old: `		return actLook, "waiting for iyzico's report"`, new: `		return actClosed, ""`},
	}},
	{seed: 18, rule: "statuses are published until they are acknowledged", removed: "once", edits: []edit{
		{file: "worker/publish.go", old: `		if err == nil || ctx.Err() != nil {
			return err
		}
		s.log`, new: `		if err == nil || ctx.Err() != nil || what == "statuses" {
			return nil
		}
		s.log`},
	}},
	{seed: 5, rule: "conflicts go to the dead letters", removed: "other content is taken for a duplicate", edits: []edit{
		{file: "worker/turn.go", old: `s.duplicate(f.plan, i, f.owners[i].Content)`, new: `f.owners[i].Content != [12]byte{}`},
	}},
	{seed: 171, theme: new(meddlers), rule: "a checkpoint lists the pauses in force", removed: "it lists none", edits: []edit{
		{file: "worker/checkpoint.go", old: `		cp.Pauses = append(cp.Pauses, at)`, new: `		_ = at`},
	}},
	{seed: 3, rule: "a checkpoint lists the plans that wait", removed: "it lists none", edits: []edit{
		{file: "worker/checkpoint.go", old: `	cp.Waiting = s.waitingRanges()
`, new: ``},
	}},
	{seed: 4, rule: "a closed shard pays nothing", removed: "a closing genesis is as any", edits: []edit{
		{file: "worker/shard.go", old: `		s.pauses[offset], s.closings[offset] = r.Scope, true
		return`, new: `		s.closings[offset] = true
		return`},
	}},
	{seed: 4, rule: "a closed shard plans nothing", removed: "planners do not ask", edits: []edit{
		{file: "worker/floor.go", old: `		if closes {
			return found.list(), ErrClosed`, new: `		if closes && start > 0 {
			return found.list(), ErrClosed`},
	}},
	{seed: 15, rule: "imported payout ids are used up", removed: "an import claims nothing", edits: []edit{
		{file: "worker/import.go", old: `	case rec.Imported != nil:`, new: `	case rec.Imported != nil && rec.Plan != nil:`},
	}},
	{seed: 6, rule: "1: the committed offset waits for the plan", removed: "whatever was read is committed", edits: []edit{
		{file: "consumer/commit.go", old: `		if p.next > p.stored {
			offsets[id] = p.next
`, new: `		next := p.next
		if n := len(p.slots); n > 0 {
			next = p.slots[n-1].next
		}
		if next > p.stored {
			offsets[id] = next
`},
	}},
	{seed: 1592, theme: new(lostLetters), rule: "1: the committed offset waits for the dead letter", removed: "it passes it at once", edits: []edit{
		{file: "consumer/letters.go", old: `		places = append(places, d.place)`, new: `		d.place.answered()`},
	}},
}
