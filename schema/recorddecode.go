package schema

// DecodeRecord reads a record of payout.journal. It refuses a version or a type
// that it does not know ([ErrVersion]) and everything else that [EncodeRecord]
// would not have written ([ErrRecord]), a field too many included.
func DecodeRecord(value []byte) (Record, error) {
	r := reader{s: string(value)}
	var (
		rec  Record
		head recordHead
		seen names
	)
	for r.enter('{'); r.more('}'); {
		name := r.name(&seen)
		switch name {
		case "v":
			head.version(&r, RecordVersion)
		case "type":
			head.kind = r.text()
			rec.Type = RecordType(head.kind)
			if _, known := needs[rec.Type]; r.err == nil && !known {
				r.err = ErrVersion
			}
		default:
			rec.read(&r, name)
		}
	}
	r.end()
	if err := head.err(&r); err != nil {
		return Record{}, err
	}
	if err := rec.check(); err != nil {
		return Record{}, err
	}
	return rec, nil
}

// read reads the field called name.
func (rec *Record) read(r *reader, name string) {
	switch name {
	case "batch":
		rec.Batch = r.text()
	case "plan":
		rec.Plan = r.int()
	case "session":
		rec.Session = r.text()
	case "at":
		rec.At = r.time()
	case "attempt":
		rec.Attempt = int(r.int())
	case "externalId":
		rec.ExternalID = r.text()
	case "requestId":
		rec.RequestID = r.text()
	case "invalid":
		rec.Invalid = list(r, (*reader).invalidItem)
	case "items":
		rec.Items = list(r, (*reader).itemChange)
	case "reason":
		rec.Reason = r.reason(true)
	case "hold":
		rec.Hold = HoldKind(r.text())
	case "which":
		rec.Which = list(r, (*reader).int)
	case "only":
		rec.Only = list(r, func(r *reader) int { return int(r.int()) })
	case "by":
		rec.By = r.text()
	case "command":
		rec.Command = r.text()
	case "scope":
		rec.Scope = r.text()
	case "verdict":
		rec.Verdict = Verdict(r.text())
	case "logId":
		rec.LogID = r.text()
	case "epoch":
		rec.Epoch = r.text()
	case "previous":
		rec.Previous = r.text()
	case "checkpoint":
		rec.Checkpoint = r.checkpoint()
	default:
		r.unknown(true)
	}
}

// list reads an array. No encoder of ours writes an empty one, and what it
// would mean is not plain: a cancel of no item, or, as without only, of all?
func list[T any](r *reader, one func(*reader) T) []T {
	var all []T
	for r.enter('['); r.more(']'); {
		all = append(all, one(r))
	}
	if all == nil {
		r.fail("an empty array")
	}
	return all
}

func (r *reader) invalidItem() InvalidItem {
	var it InvalidItem
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "i":
			it.Item = int(r.int())
		case "code":
			it.Code = r.text()
		case "text":
			it.Text = r.text()
		default:
			r.unknown(true)
		}
	}
	return it
}

func (r *reader) itemChange() ItemChange {
	var it ItemChange
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "i":
			it.Item = int(r.int())
		case "s":
			it.Status = PayoutStatus(r.text())
		case "ref":
			it.Reference = r.text()
		case "fee":
			fee := r.int()
			it.Commission = &fee
		case "code":
			it.Code = r.text()
		case "text":
			it.Text = r.text()
		default:
			r.unknown(true)
		}
	}
	return it
}

func (r *reader) reason(strict bool) *Reason {
	var why Reason
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "code":
			why.Code = r.text()
		case "text":
			why.Text = r.text()
		default:
			r.unknown(strict)
		}
	}
	return &why
}

func (r *reader) checkpoint() *Checkpoint {
	var c Checkpoint
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "planOffset":
			c.PlanOffset = r.int()
		case "journalOffset":
			c.JournalOffset = r.int()
		case "open":
			c.Open = list(r, (*reader).openBatch)
		case "waiting":
			c.Waiting = list(r, (*reader).offsetRange)
		case "pauses":
			c.Pauses = list(r, (*reader).int)
		default:
			r.unknown(true)
		}
	}
	return &c
}

func (r *reader) openBatch() OpenBatch {
	var o OpenBatch
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "plan":
			o.Plan = r.int()
		case "records":
			o.Records = list(r, (*reader).int)
		default:
			r.unknown(true)
		}
	}
	return o
}

func (r *reader) offsetRange() OffsetRange {
	var o OffsetRange
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "from":
			o.From = r.int()
		case "to":
			o.To = r.int()
		default:
			r.unknown(true)
		}
	}
	return o
}
