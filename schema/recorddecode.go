package schema

// DecodeRecord reads a record of payout.journal. It refuses a version or a type
// that it does not know ([ErrVersion]) and everything else that [EncodeRecord]
// would not have written ([ErrRecord]), a field too many included.
func DecodeRecord(value []byte) (Record, error) {
	in := reader{s: string(value)}
	var (
		r    Record
		head recordHead
		seen names
	)
	for in.enter('{'); in.more('}'); {
		name := in.name(&seen)
		switch name {
		case "v":
			head.version(&in, RecordVersion)
		case "type":
			head.kind = in.text()
			r.Type = RecordType(head.kind)
			if _, known := needs[r.Type]; in.err == nil && !known {
				in.err = ErrVersion
			}
		default:
			r.read(&in, name)
		}
	}
	in.end()
	if err := head.err(&in); err != nil {
		return Record{}, err
	}
	if err := r.check(); err != nil {
		return Record{}, err
	}
	return r, nil
}

// read reads the field called name.
func (r *Record) read(in *reader, name string) {
	switch name {
	case "batch":
		r.Batch = in.text()
	case "plan":
		r.Plan = in.int()
	case "session":
		r.Session = in.text()
	case "at":
		r.At = in.time()
	case "attempt":
		r.Attempt = int(in.int())
	case "externalId":
		r.ExternalID = in.text()
	case "requestId":
		r.RequestID = in.text()
	case "invalid":
		r.Invalid = list(in, (*reader).invalidItem)
	case "items":
		r.Items = list(in, (*reader).itemChange)
	case "reason":
		r.Reason = in.reason(true)
	case "hold":
		r.Hold = HoldKind(in.text())
	case "which":
		r.Which = list(in, (*reader).int)
	case "only":
		r.Only = list(in, func(in *reader) int { return int(in.int()) })
	case "by":
		r.By = in.text()
	case "command":
		r.Command = in.int()
	case "scope":
		r.Scope = in.text()
	case "verdict":
		r.Verdict = Verdict(in.text())
	case "logId":
		r.LogID = in.text()
	case "epoch":
		r.Epoch = in.text()
	case "previous":
		r.Previous = in.text()
	case "checkpoint":
		r.Checkpoint = in.checkpoint()
	case "floors":
		r.Floors = list(in, (*reader).floor)
	default:
		in.unknown(true)
	}
}

// list reads an array. No encoder of ours writes an empty one, and what it
// would mean is not plain: a cancel of no item, or, as without only, of all?
func list[T any](r *reader, one func(*reader) T) []T {
	var all []T
	for r.enter('['); r.more(']'); {
		from := r.i
		it := one(r)
		if all == nil {
			all = make([]T, 0, r.asMany(from))
		}
		all = append(all, it)
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
		case "quarantined":
			c.Quarantined = list(r, (*reader).int)
		case "commands":
			c.Commands = r.int()
		case "pauses":
			c.Pauses = list(r, (*reader).int)
		case "floors":
			c.Floors = list(r, (*reader).floor)
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

func (r *reader) floor() Floor {
	var f Floor
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "topic":
			f.Topic = r.text()
		case "partition":
			f.Partition = int(r.int())
		case "offset":
			f.Offset = r.int()
		case "answered":
			f.Answered = r.int()
		case "era":
			f.Era = r.int()
		case "skipped":
			f.Skipped = r.bool()
		default:
			r.unknown(true)
		}
	}
	return f
}
