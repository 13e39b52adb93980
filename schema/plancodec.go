package schema

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
)

// Errors of [DecodePlan] and [DecodeRecord], and of their encoders. After
// either a reader of the two logs must stop: a fold that skips a record is a
// second truth.
var (
	// ErrVersion: a record of a version or a type that this program does not
	// know. A newer toplu has written here.
	ErrVersion = errors.New("a record of an unknown version or type")
	// ErrRecord: a record that is broken, or says what no toplu writes.
	ErrRecord = errors.New("a broken record")
)

// The types of the records in payout.batches.
const (
	typePlanned = "planned"
	typeGenesis = "genesis"
	typeImport  = "imported"
)

var planIDEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// PlanID is the id that p must have: 24 characters of a-z and 2-7, the
// beginning of the SHA-256 of everything in p but ID, At and NotBefore. So a batch
// sealed again from the same requests after a crash is the same batch, whatever
// the clock says, and a batch with anything changed in it is another.
//
// In a record's bytes, what is hashed is all that follows the comma after "at".
func PlanID(p *Plan) string {
	h := sha256.New()
	b := appendPlanHead(make([]byte, 0, 1024), p)
	for i := range p.Items {
		b = p.appendItem(b, i)
		h.Write(b)
		b = b[:0]
	}
	h.Write(append(b, planTail...))
	return planID(h.Sum(nil))
}

func planID(sum []byte) string {
	var b [32]byte
	planIDEncoding.Encode(b[:24], sum[:15])
	for i, c := range b[:24] {
		if c >= 'A' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b[:24])
}

// EncodePlan writes the value of a planned record. It returns an [ErrRecord] for
// a plan that [DecodePlan] would refuse.
func EncodePlan(p *Plan) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	size := 256
	for i := range p.Items {
		size += p.Items[i].room()
	}
	b := make([]byte, 0, size)
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, p.version(), 10)
	b = append(b, `,"type":"planned","id":`...)
	b = appendText(b, p.ID)
	if !p.NotBefore.IsZero() {
		b = append(b, `,"notBefore":"`...)
		b = appendTime(b, p.NotBefore)
		b = append(b, '"')
	}
	b = append(b, `,"at":"`...)
	b = appendTime(b, p.At)
	b = append(b, '"', ',')
	from := len(b)
	b = appendPlanHead(b, p)
	for i := range p.Items {
		b = p.appendItem(b, i)
	}
	b = append(b, planTail...)
	if sum := sha256.Sum256(b[from:]); planID(sum[:]) != p.ID {
		return nil, fmt.Errorf("%w: the plan's id is not the hash of its content", ErrRecord)
	}
	return b, nil
}

// EncodePlanGenesis writes the first record of a partition of payout.batches.
func EncodePlanGenesis(g *Genesis) []byte {
	b := append([]byte(nil), `{"v":1,"type":"genesis","logId":`...)
	b = appendText(b, g.LogID)
	b = append(b, `,"partitions":`...)
	b = strconv.AppendInt(b, int64(g.Partitions), 10)
	b = append(b, `,"at":"`...)
	b = appendTime(b, g.At)
	b = append(b, '"')
	b = appendField(b, "closed", g.Closed)
	return append(b, '}')
}

const planTail = "]}"

func appendPlanHead(b []byte, p *Plan) []byte {
	b = append(b, `"merchant":`...)
	b = appendText(b, p.Merchant)
	b = appendField(b, "purpose", p.Purpose)
	b = appendField(b, "currency", string(p.Currency))
	b = appendField(b, "key", p.Key)
	return append(b, `,"items":[`...)
}

// room is about how many bytes an item takes: a record of half a MiB is not to
// be copied again and again as it grows.
func (it *PlanItem) room() int {
	const names = 192
	return names + len(it.PayoutID) + len(it.Recipient.Value.Reveal()) + len(it.Recipient.Name.Reveal()) +
		len(it.Description.Reveal()) + len(it.Metadata) + 2*len(it.Box) + len(it.EventID) + len(it.TraceParent) + len(it.Source.Topic)
}

// version is the version of the plan's record.
func (p *Plan) version() int64 {
	if p.Key != "" {
		return sealedVersion
	}
	return PlanVersion
}

func (p *Plan) appendItem(b []byte, i int) []byte {
	it := &p.Items[i]
	if i > 0 {
		b = append(b, ',')
	}
	b = append(b, `{"id":`...)
	b = appendText(b, it.PayoutID)
	b = appendField(b, "to", string(it.Recipient.Type))
	if p.Key != "" {
		b = appendSealedItem(b, it)
	} else {
		b = appendClearItem(b, it)
	}
	b = appendField(b, "event", it.EventID)
	b = appendField(b, "trace", it.TraceParent)
	b = appendSource(b, it.Source)
	return append(b, '}')
}

func appendClearItem(b []byte, it *PlanItem) []byte {
	b = appendField(b, "value", it.Recipient.Value.Reveal())
	b = appendField(b, "name", it.Recipient.Name.Reveal())
	b = append(b, `,"minor":`...)
	b = strconv.AppendInt(b, it.Minor, 10)
	b = appendField(b, "description", it.Description.Reveal())
	return appendMetadata(b, it.Metadata)
}

// check finds what no plan may hold. Both ways go through it, so that nobody
// writes what the others will stop at.
func (p *Plan) check() error {
	switch {
	case p.Merchant == "":
		return fmt.Errorf("%w: a plan without merchant", ErrRecord)
	case !p.Currency.Known():
		return fmt.Errorf("%w: a plan in a currency that is not known", ErrRecord)
	case p.Key != "" && !ValidMonth(p.Key):
		return fmt.Errorf("%w: a plan sealed with a key of no month", ErrRecord)
	case len(p.Items) == 0:
		return fmt.Errorf("%w: a plan without items", ErrRecord)
	}
	ids := make(map[string]struct{}, len(p.Items))
	for i := range p.Items {
		it := &p.Items[i]
		switch {
		case !ValidPayoutID(it.PayoutID):
			return fmt.Errorf("%w: item %d has no valid payout id", ErrRecord, i)
		case it.Minor <= 0 || it.Minor > MaxMinor:
			return fmt.Errorf("%w: the amount of item %d is out of range", ErrRecord, i)
		case !it.Recipient.Type.Known() || p.Key == "" && it.Recipient.Value == "":
			return fmt.Errorf("%w: item %d has no recipient", ErrRecord, i)
		case p.Key != "" && len(it.Box) < boxLeast:
			return fmt.Errorf("%w: item %d is not sealed", ErrRecord, i)
		case it.Metadata != nil && !isObject(it.Metadata):
			return fmt.Errorf("%w: the metadata of item %d is no JSON object", ErrRecord, i)
		}
		ids[it.PayoutID] = struct{}{}
	}
	if len(ids) != len(p.Items) {
		return fmt.Errorf("%w: a payout id stands twice in one plan", ErrRecord)
	}
	return nil
}
