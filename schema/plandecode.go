package schema

import (
	"fmt"
	"slices"
	"strings"
)

// DecodePlan reads a record of payout.batches and proves it: its version and
// type are known, every field is, payout ids are valid and distinct, amounts
// are greater than zero, and the id is [PlanID]. The error is an [ErrVersion]
// or an [ErrRecord] and says nothing about any person.
//
// The texts of the items share one piece of memory, the record: who keeps one
// of them longer than the plan keeps a strings.Clone of it.
func DecodePlan(value []byte) (PlanRecord, error) {
	r := reader{s: string(value)}
	var (
		p    Plan
		g    Genesis
		im   Imported
		head recordHead
		seen names
	)
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "v":
			head.version(&r, PlanVersion, sealedVersion)
		case "type":
			head.kind = r.text()
			if r.err == nil && head.kind != typePlanned && head.kind != typeGenesis && head.kind != typeImport {
				r.err = ErrVersion
			}
		case "at":
			p.At = r.time()
		case "notBefore":
			p.NotBefore = r.time()
		case "logId":
			g.LogID = r.text()
		case "partitions":
			g.Partitions = int(r.int())
		case "closed":
			g.Closed = r.text()
		case "by":
			im.By = r.text()
		case "reason":
			im.Reason = r.text()
		case "ids":
			im.Items = list(&r, (*reader).imported)
		case "id":
			p.ID = r.text()
		case "merchant":
			p.Merchant = r.text()
		case "purpose":
			p.Purpose = r.text()
		case "currency":
			p.Currency = Currency(r.text())
		case "key":
			p.Key = r.text()
		case "items":
			p.Items = r.planItems()
		default:
			r.unknown(true)
		}
	}
	r.end()
	if err := head.err(&r); err != nil {
		return PlanRecord{}, err
	}
	if head.kind != typeImport && (im.By != "" || im.Reason != "" || im.Items != nil) {
		return PlanRecord{}, fmt.Errorf("%w: a %s with fields of an import", ErrRecord, head.kind)
	}
	if head.kind == typeGenesis {
		if head.v != PlanVersion {
			return PlanRecord{}, fmt.Errorf("%w (genesis of version %d)", ErrVersion, head.v)
		}
		return genesisPlan(&p, &g)
	}
	if g != (Genesis{}) {
		return PlanRecord{}, fmt.Errorf("%w: a %s with fields of a genesis", ErrRecord, head.kind)
	}
	if head.kind == typeImport {
		return importedPlan(&p, &im)
	}
	if (head.v == sealedVersion) != (p.Key != "") {
		return PlanRecord{}, fmt.Errorf("%w: a sealed plan names its key, and no other does", ErrRecord)
	}
	if err := p.check(); err != nil {
		return PlanRecord{}, err
	}
	if err := p.checkSealing(); err != nil {
		return PlanRecord{}, err
	}
	if PlanID(&p) != p.ID {
		return PlanRecord{}, fmt.Errorf("%w: the plan's id is not the hash of its content", ErrRecord)
	}
	// What a waiting batch is remembered by must not keep its whole record alive.
	p.ID, p.Merchant, p.Key = strings.Clone(p.ID), strings.Clone(p.Merchant), strings.Clone(p.Key)
	return PlanRecord{Plan: &p}, nil
}

func genesisPlan(p *Plan, g *Genesis) (PlanRecord, error) {
	if g.LogID == "" || g.Partitions < 1 || !p.empty() {
		return PlanRecord{}, fmt.Errorf("%w: a genesis holds a logId, the partitions and no plan", ErrRecord)
	}
	g.LogID, g.At, g.Closed = strings.Clone(g.LogID), p.At, strings.Clone(g.Closed)
	return PlanRecord{Genesis: g}, nil
}

func (r *reader) planItems() []PlanItem {
	items := []PlanItem{}
	for r.enter('['); r.more(']'); {
		from := r.i
		it := r.planItem()
		if len(items) == 0 {
			items = make([]PlanItem, 0, r.asMany(from))
		}
		items = append(items, it)
	}
	return items
}

// asMany is about how many elements an array has whose first one began at byte
// from and has just been read: the rest is taken to be as long.
func (r *reader) asMany(from int) int {
	const most = 1024 // what is wrong with a text must not cost memory; append goes on from there
	return min(most, 2+(len(r.s)-r.i)/(r.i-from+1))
}

func (r *reader) planItem() PlanItem {
	var it PlanItem
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "id":
			it.PayoutID = r.text()
		case "to":
			it.Recipient.Type = RecipientType(r.text())
		case "value":
			it.Recipient.Value = Private(r.text())
		case "name":
			it.Recipient.Name = Private(r.text())
		case "minor":
			it.Minor = r.int()
		case "description":
			it.Description = Private(r.text())
		case "metadata":
			it.Metadata = []byte(r.raw())
		case "content":
			it.Digest = r.digest()
		case "box":
			it.Box = r.box()
		case "event":
			it.EventID = r.text()
		case "trace":
			it.TraceParent = r.text()
		case "source":
			it.Source = r.source(true)
		default:
			r.unknown(true)
		}
	}
	return it
}

// recordHead is what every record of the two logs begins with.
type recordHead struct {
	v    int64
	kind string
}

// version reads the version, and ends the reading at one that is not known:
// what follows may mean anything.
func (h *recordHead) version(r *reader, known ...int64) {
	if h.v = r.int(); r.err == nil && !slices.Contains(known, h.v) {
		r.err = ErrVersion
	}
}

// err sums up the reading of a record.
func (h *recordHead) err(r *reader) error {
	switch {
	case r.err == ErrVersion: //nolint:errorlint // set by us, never wrapped
		return fmt.Errorf("%w (version %d)", ErrVersion, h.v)
	case r.err != nil:
		return fmt.Errorf("%w: %w", ErrRecord, r.err)
	case h.v == 0:
		return fmt.Errorf("%w: no version", ErrRecord)
	case h.kind == "":
		return fmt.Errorf("%w: no type", ErrRecord)
	}
	return nil
}
