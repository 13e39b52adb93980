package schema

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxImports is how many ids an import holds at most: its record stays below
// the broker's limit.
const MaxImports = 5000

// Imported is a record of payout.batches that claims payout ids which were paid
// elsewhere: before toplu, or before Kafka was lost. It owns its ids as a plan
// does, in the order of the log, and is never driven: there is nothing to pay and
// no status to tell.
type Imported struct {
	By     string // who says so
	Reason string
	At     time.Time
	Items  []Import
}

// An Import is a payout id that is used up.
type Import struct {
	PayoutID string `json:"id"`
	// Content is the digest of the request that was paid, in hex; "": not known,
	// so any request for the id is taken for the one that was paid.
	Content string `json:"content,omitempty"`
}

// Digest is the content as a claim holds it; zero if it is not known.
func (im *Import) Digest() Digest {
	var d Digest
	_, _ = hex.Decode(d[:], []byte(im.Content)) // checked when it was read
	return d
}

// Covers reports whether a request of content is the one that a claim with d
// stands for. The zero digest is that of an import of which only the id is known:
// it stands for any.
func (d Digest) Covers(content Digest) bool { return d == content || d == Digest{} }

// EncodeImported writes the value of an import's record. It returns an
// [ErrRecord] for one that [DecodePlan] would refuse.
func EncodeImported(im *Imported) ([]byte, error) {
	if err := im.check(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 256+128*len(im.Items))
	b = append(b, `{"v":1,"type":"imported","at":"`...)
	b = appendTime(b, im.At)
	b = append(b, '"')
	b = appendField(b, "by", im.By)
	b = appendField(b, "reason", im.Reason)
	b = append(b, `,"ids":[`...)
	for i := range im.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"id":`...)
		b = appendText(b, im.Items[i].PayoutID)
		b = appendField(b, "content", im.Items[i].Content)
		b = append(b, '}')
	}
	return append(b, planTail...), nil
}

func (im *Imported) check() error {
	if im.By == "" || im.Reason == "" {
		return fmt.Errorf("%w: an import without by or reason", ErrRecord)
	}
	return checkImports(im.Items)
}

func checkImports(items []Import) error {
	if len(items) == 0 || len(items) > MaxImports {
		return fmt.Errorf("%w: an import of %d ids; allowed are 1 to %d", ErrRecord, len(items), MaxImports)
	}
	ids := make(map[string]struct{}, len(items))
	for i := range items {
		var d Digest
		n, err := hex.Decode(d[:], []byte(items[i].Content[:min(len(items[i].Content), 2*len(d))]))
		switch {
		case !ValidPayoutID(items[i].PayoutID):
			return fmt.Errorf("%w: item %d of an import has no valid payout id", ErrRecord, i)
		case items[i].Content != "" && (err != nil || n != len(d) || len(items[i].Content) != 2*len(d) || d == Digest{}):
			return fmt.Errorf("%w: item %d of an import has a content that is no digest", ErrRecord, i)
		}
		ids[items[i].PayoutID] = struct{}{}
	}
	if len(ids) != len(items) {
		return fmt.Errorf("%w: a payout id stands twice in one import", ErrRecord)
	}
	return nil
}

// empty reports whether nothing of a plan is set but the time.
func (p *Plan) empty() bool {
	return p.ID == "" && p.Merchant == "" && p.Purpose == "" && p.Currency == "" && p.Key == "" && p.Items == nil && p.NotBefore.IsZero()
}

func importedPlan(p *Plan, im *Imported) (PlanRecord, error) {
	if !p.empty() {
		return PlanRecord{}, fmt.Errorf("%w: an import with fields of a plan", ErrRecord)
	}
	im.At = p.At
	if err := im.check(); err != nil {
		return PlanRecord{}, err
	}
	im.By, im.Reason, im.Items = strings.Clone(im.By), strings.Clone(im.Reason), slices.Clip(im.Items)
	return PlanRecord{Imported: im}, nil
}

func (r *reader) imported() Import {
	var it Import
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "id":
			it.PayoutID = r.text()
		case "content":
			it.Content = r.text()
		default:
			r.unknown(true)
		}
	}
	return it
}
