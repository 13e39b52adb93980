//go:build mutation

package simulation_test

// The rules of a batch's life, each with the edits that take it out. What the model
// check has shown to be needless for safety is not here.
var attemptRules = []mutation{
	{seed: 2, rule: "4: read back one's own completing before auth", removed: "a session believes the completing it has sent", edits: []edit{
		{file: "worker/next.go", old: `		s.write(b, schema.Record{Type: schema.RecCompleting, RequestID: b.winner})`, new: `		b.phase, b.completer = completing, s.session
		s.write(b, schema.Record{Type: schema.RecCompleting, RequestID: b.winner})`},
		{file: "worker/publish.go", old: `			b.drive.awaits = last
`, new: `			b.drive.busy = false
			s.advance(b)
`},
	}},
	{seed: 22, rule: "4: only the session whose completing won calls auth", removed: "any session that reads a completing does", edits: []edit{
		{file: "worker/next.go", old: `b.completer == s.session && !d.authorised`, new: `!d.authorised`},
		{file: "worker/complete.go", old: `b.completer != s.session || `, new: ``},
	}},
	{seed: 1021, theme: new(sleepers), rule: "4: the first completing of an attempt wins", removed: "a later one wins", edits: []edit{
		{file: "worker/fold.go", old: `	case b.phase >= completing:
		return alreadyThere
	case len(b.holds) > 0:`, new: `	case b.phase > completing:
		return alreadyThere
	case len(b.holds) > 0:`},
	}},
	{seed: 1, rule: "4: auth at most once", removed: "auth is called again until it answers success", edits: []edit{
		{file: "worker/next.go", old: `!d.authorised[b.winner] && `, new: ``},
		{file: "worker/complete.go", old: ` || d.authorised[b.winner]`, new: ``},
	}},
	{seed: 21, rule: "4: a session is fresh for each assignment", removed: "all sessions have the same id", edits: []edit{
		{file: "worker/shard.go", old: `session := ports.NewID()`, new: `session := "same"`},
	}},
	{seed: 2, rule: "1, 4: only the requestId that has won in the log", removed: "a session acts on its own created unread", edits: []edit{
		{file: "worker/create.go", old: `		r.Invalid = append(r.Invalid, schema.InvalidItem{Item: i, Code: inv.Code, Text: inv.Message})
	}
`, new: `		r.Invalid = append(r.Invalid, schema.InvalidItem{Item: i, Code: inv.Code, Text: inv.Message})
	}
	if attempt == b.attempt && b.phase < completing {
		b.phase, b.winner = created, a.RequestID
	}
`},
		{file: "worker/fold.go", old: `	case !b.inAttempt(r):
		return otherRequest
	case b.phase >= completing:
		return alreadyThere
	case len(b.holds) > 0:`, new: `	case b.phase >= completing && r.RequestID == b.winner:
		return alreadyThere
	case len(b.holds) > 0:`},
	}},
	{seed: 1, rule: "4, 5: fence before a new attempt", removed: "INIT after the grace period is death enough", edits: []edit{
		{file: "worker/report.go", old: `		live.Type = schema.RecFencing
		s.write(b, live)`, new: `		dead := live
		live.Type, dead.Type = schema.RecFencing, schema.RecDead
		s.write(b, live, dead)`},
	}},
	{seed: 1, rule: "4: fence instead of a second auth", removed: "INIT after the grace period: auth again", edits: []edit{
		{file: "worker/report.go", old: `		live.Type = schema.RecFencing
		s.write(b, live)`, new: `		delete(b.drive.authorised, b.winner)
		b.completer = s.session
		s.auth(b)`},
	}},
	{seed: 1, rule: "4: no answer to auth is a refusal", removed: "a failure answer is proof of death", edits: []edit{
		{file: "worker/complete.go", old: `			// No answer to auth is ever a refusal: whatever it says, the batch's
			// status decides.
`, new: `			if refused(err) {
				s.writeAt(b, attempt, schema.Record{Type: schema.RecFencing, RequestID: requestID}, schema.Record{Type: schema.RecDead, RequestID: requestID})
				return
			}
`},
	}},
	{seed: 106, rule: "5: cancel's answer proves nothing", removed: "cancel's success is proof of death", edits: []edit{
		{file: "worker/complete.go", old: `			s.judge(b, requestID, v, lookErr)`, new: `			if err == nil && b.winner == requestID {
				s.write(b, schema.Record{Type: schema.RecDead, RequestID: requestID})
				return
			}
			s.judge(b, requestID, v, lookErr)`},
	}},
	{seed: 140, rule: "5: every valid item MASS_PAYOUT_CANCELED", removed: "the batch's CANCELED is proof of death", edits: []edit{
		{file: "worker/report.go", old: `		took = took || moved(it.Status)
`, new: ``},
		{file: "worker/report.go", old: `	case !v.whole || len(cancelled) != b.count(b.valid) || len(v.valid) != len(cancelled):
		s.lookAgain(b)
		b.drive.report.whole = true
`, new: ``},
	}},
	{seed: 140, rule: "5: all pages", removed: "the first page is proof enough", edits: []edit{
		{file: "worker/verify.go", old: `		if len(rep.Items) == 0 || `, new: `		if list == iyzico.ItemsValid && v.batch.Status == iyzico.BatchCanceled || len(rep.Items) == 0 || `},
		{file: "worker/report.go", old: `	case !v.whole || len(cancelled) != b.count(b.valid) || len(v.valid) != len(cancelled):`, new: `	case len(v.valid) != len(cancelled):`},
	}},
	{seed: 1193, theme: new(movingPages), rule: "5: their number right", removed: "a line that two pages show counts twice", edits: []edit{
		{file: "worker/report.go", old: ` && !seen[i] {`, new: ` {`},
	}},
	{seed: 1, rule: "5: MASS_PAYOUT_CANCELED alone settles nothing", removed: "it is failed", edits: []edit{
		{file: "worker/outcome.go", old: `	case iyzico.ItemFailed:
`, new: `	case iyzico.ItemFailed, iyzico.ItemCanceled:
`},
		{file: "worker/outcome.go", old: `iyzico.ItemProcessing, iyzico.ItemCanceled, iyzico.ItemInvalid:`, new: `iyzico.ItemProcessing, iyzico.ItemInvalid:`},
	}},
	{seed: 140, rule: "5: a cancelled item fails only if another was paid", removed: "QUEUED items under CANCELED are failed too", edits: []edit{
		{file: "worker/report.go", old: `it.Status == iyzico.ItemCanceled && !seen[i] {`, new: `it.Status != iyzico.ItemSuccess && !seen[i] {`},
	}},
	{seed: 183, rule: "2: once a requestId is known ask by it only", removed: "reports are asked by externalId", edits: []edit{
		{file: "worker/complete.go", old: `	by := iyzico.RetrieveRequest{RequestID: requestID,`, new: `	by := iyzico.RetrieveRequest{ExternalID: requestID,`},
		{file: "worker/complete.go", old: `		v, lookErr := s.sight(ctx, p, requestID, true)`, new: `		v, lookErr := s.sight(ctx, p, b.externalID(), true)`},
		{file: "worker/report.go", old: `s.sight(ctx, p, requestID,`, new: `s.sight(ctx, p, b.externalID(),`, everywhere: true},
	}},
	{seed: 564, rule: "2: VALID and INVALID together are the attempt's list", removed: "absence is taken for invalid", edits: []edit{
		{file: "worker/create.go", old: `	case !v.lists(b) && !overdue:
		s.again(b, s.cfg.Grace/4)
	case !v.lists(b):
		s.hold(b, schema.HoldMismatch, "items_differ", "iyzico's items are not the ones that were sent")
`, new: ``},
		{file: "worker/create.go", old: `		for _, it := range v.invalid {
			a.Invalid = append(a.Invalid, iyzico.InvalidItem{ExternalID: it.ExternalID, Code: "INVALID", Message: firstOf(it.Errors)})
		}`, new: `		there := map[string]bool{}
		for _, it := range v.valid {
			there[it.ExternalID] = true
		}
		for i := range b.items {
			if id := b.plan.Items[i].PayoutID; b.items[i].carried && !there[id] {
				a.Invalid = append(a.Invalid, iyzico.InvalidItem{ExternalID: id, Code: "INVALID"})
			}
		}`},
	}},
	{seed: 465, rule: "3: a completing under a hold is void", removed: "holds are not looked at", edits: []edit{
		{file: "worker/fold.go", old: `	case len(b.holds) > 0:
		return isHeld
`, new: ``},
	}},
	{seed: 1717, theme: new(meddlers), rule: "3: a completing under a pause is void", removed: "pauses are not looked at", edits: []edit{
		{file: "worker/fold.go", old: `	case paused:
		return isPaused
`, new: ``},
	}},
	{seed: 3, rule: "3: a cancel before completing ends the attempt", removed: "the items are cancelled, the attempt goes on", edits: []edit{
		{file: "worker/fold.go", old: `		b.endAttempt()
		b.liftCancelled()
`, new: `		b.liftCancelled()
`},
	}},
	{seed: 15, rule: "a cancel after completing waits for the attempt's death", removed: "it takes effect at once", edits: []edit{
		{file: "worker/fold.go", old: `	late := b.phase >= completing ||`, new: `	late := b.phase >= completed ||`},
	}},
	{seed: 1657, theme: new(namelessBatches), rule: "abandoned counts only before a completing", removed: "it counts always", edits: []edit{
		{file: "worker/fold.go", old: `		if b.phase >= completing {
			return tooLate
		}
`, new: ``},
	}},
	{seed: 1657, theme: new(namelessBatches), rule: "a record counts only for the live attempt", removed: "abandoned of an old attempt ends the new one", edits: []edit{
		{file: "worker/fold.go", old: `		if r.Attempt != b.attempt {
			return otherAttempt
		}
		if b.phase >= completing {
			return tooLate
		}
`, new: ``},
	}},
	{seed: 2114, theme: new(voidedAuths), rule: "dead counts only for the live attempt's requestId", removed: "any dead ends the attempt", edits: []edit{
		{file: "worker/fold.go", old: `		if why := b.live(r); why != counts {
			return why
		}
		if !b.fenced {
			return notFenced
		}
`, new: ``},
	}},
	{seed: 549, theme: new(voidedAuths), rule: "completed and settled count only for the live requestId", removed: "they count for any attempt", edits: []edit{
		{file: "worker/fold.go", old: `	case r.Attempt != b.attempt:
		return otherAttempt
	case !b.inAttempt(r):
		return otherRequest
	case b.phase < completing:
		return tooEarly
	}
	return counts
}`, new: `	case b.phase < created:
		return tooEarly
	}
	return counts
}`},
	}},
	{seed: 547, theme: new(lateRefusals), rule: "refused counts only without a created", removed: "it rejects whatever the attempt has", edits: []edit{
		{file: "worker/fold.go", old: `	if b.phase >= created {
		return alreadyThere
	}
	if b.count(func(i int) bool { return b.items[i].carried && b.items[i].took }) > 0 {`, new: `	if b.count(func(i int) bool { return b.items[i].carried && b.items[i].took }) > 0 {`},
	}},
	{seed: 169, rule: "2: a refusal after an earlier call is read back first", removed: "it is believed", edits: []edit{
		{file: "worker/create.go", old: `				d.lost, d.refusal = true, err
`, new: `				s.writeRefused(b, err)
`},
	}},
	{seed: 1853, theme: new(lateRecords), rule: "settled is a join", removed: "a report overwrites", edits: []edit{
		{file: "worker/fold.go", old: `it.status != c.Status && it.status.CanBecome(c.Status)`, new: `it.status != c.Status`},
	}},
	{seed: 3, rule: "6: attempt n+1 carries only what has no answer", removed: "it carries all items of the batch", edits: []edit{
		{file: "worker/batch.go", old: `		b.items[i].carried = b.open(i)`, new: `		b.items[i].carried = b.items[i].owned`},
	}},
	{seed: 266, theme: new(voidedAuths), rule: "dead: submitted items become unknown", removed: "they stay submitted", edits: []edit{
		{file: "worker/fold.go", old: `		if b.items[i].status == schema.Submitted {
			b.move(i, schema.Unknown,`, new: `		if b.items[i].status == schema.Submitted && r == nil {
			b.move(i, schema.Unknown,`},
	}},
	{seed: 173, theme: new(quiet), rule: "2: a lost init is looked for before it is called again", removed: "init is called again at once", edits: []edit{
		{file: "worker/next.go", old: `		if d.lost {
			return actSeek`, new: `		if d.lost && d.refusal != nil {
			return actSeek`},
	}},
	{seed: 1441, theme: new(quiet), rule: "2: what init answered is written until it is read back", removed: "init is called again", edits: []edit{
		{file: "worker/create.go", old: `		b.drive.answer = &r //`, new: `		//`},
	}},
	{seed: 147, theme: new(sleepers), rule: "4: whoever has read a fencing calls no auth", removed: "he does", edits: []edit{
		{file: "worker/next.go", old: `		case b.fenced:
			return actFence, "auth's answer was lost: cancelling, and seeking proof that it is dead"
		case b.completer == s.session && !d.authorised[b.winner] && b.unknown == nil:
			return actAuth, "calling auth"
`, new: `		case b.completer == s.session && !d.authorised[b.winner] && b.unknown == nil:
			return actAuth, "calling auth"
		case b.fenced:
			return actFence, "auth's answer was lost: cancelling, and seeking proof that it is dead"
`},
		{file: "worker/complete.go", old: `b.fenced || `, new: ``},
	}},
	{seed: 21, rule: "5: a CANCELED that nobody of ours asked for is a person's matter", removed: "it is proof of death without a fencing", edits: []edit{
		{file: "worker/report.go", old: `	case b.fenced:
		s.write(b, schema.Record{Type: schema.RecDead`, new: `	case true:
		s.write(b, schema.Record{Type: schema.RecDead`},
		{file: "worker/fold.go", old: `		if !b.fenced {
			return notFenced
		}
`, new: ``},
	}},
	{seed: 1251, theme: new(meddlers), rule: "resumed lifts the holds that it names", removed: "it lifts all of the batch", edits: []edit{
		{file: "worker/fold.go", old: `	for _, o := range r.Which {
		if h`, new: `	for o := range b.holds {
		if h`},
	}},
	{seed: 709, theme: new(meddlers), rule: "a pause is judged at its place in the log", removed: "when the record is folded", edits: []edit{
		{file: "worker/shard.go", old: `PausedIn(q.scopes, b.merchant)`, new: `PausedIn(s.scopes(), b.merchant)`},
	}},
	{seed: 1077, theme: new(voidedAuths), rule: "created: invalid what an earlier attempt took is a hold", removed: "it is rejected", edits: []edit{
		{file: "worker/fold.go", old: `		if b.items[inv.Item].took {
`, new: `		if false {
`},
	}},
	{seed: 2023, theme: new(voidedAuths), rule: "refused: what an earlier attempt took is a hold", removed: "it is rejected", edits: []edit{
		{file: "worker/fold.go", old: `	if b.count(func(i int) bool { return b.items[i].carried && b.items[i].took }) > 0 {`, new: `	if false {`},
	}},
	{seed: 114, rule: "3: amounts are read back before completing", removed: "they are not compared", edits: []edit{
		{file: "worker/verify.go", old: `	case int64(it.Amount) != want.Amount.Minor:`, new: `	case it.Amount < 0:`},
	}},
	{seed: 27, rule: "3: the list is read back before completing", removed: "fewer items are no difference", edits: []edit{
		{file: "worker/verify.go", old: `	case len(v.valid) != b.count(b.valid):`, new: `	case len(v.valid) > b.count(b.valid):`},
	}},
	{seed: 14, rule: "7: account or traffic rejects nobody", removed: "it is a refusal for good", edits: []edit{
		{file: "worker/create.go", old: `			case iyzico.KindOf(err) == iyzico.KindTraffic:
				s.again(b, s.cfg.Grace)
			default:`, new: `			case iyzico.KindOf(err) == iyzico.KindTraffic:
				s.write(b, schema.Record{Type: schema.RecRefused, Reason: &schema.Reason{Code: iyzico.CodeOf(err), Text: err.Error()}})
			default:`},
	}},
	{seed: 51, rule: "7: only a code that is listed rejects", removed: "every refusal of a batch does", edits: []edit{
		{file: "worker/create.go", old: `	if slices.Contains(s.cfg.RejectCodes, iyzico.CodeOf(err)) {`, new: `	if err != nil {`},
	}},
	{seed: 6, rule: "what is above the limits waits for a person", removed: "limits are not looked at", edits: []edit{
		{file: "worker/limit.go", old: `	if b.phase != planned || b.weighed {`, new: `	if b != nil {`},
	}},
	{seed: 1, rule: "nothing is created before the merchant opens", removed: "the time is not looked at", edits: []edit{
		{file: "worker/next.go", old: `		if b.plan.NotBefore.After(s.ports.Now()) {`, new: `		if b.plan.NotBefore.After(s.ports.Now()) && b.closed {`},
	}},
	{seed: 181, rule: "a person's word is about the attempt that was shown", removed: "it settles the attempt that is current", edits: []edit{
		{file: "worker/resolve.go", old: `	case c.Attempt != b.attempt || c.RequestID != b.winner:`, new: `	case c.Attempt < 1:`},
	}},
}
