package schema

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
)

// A sealed plan hides who is paid from those who read the log: each item's
// recipient (value and name), description and metadata are one box. What the
// worker folds stays outside: payout id, recipient type, amount, content digest,
// event and source. How boxes are made and opened is package internal/seal's;
// what is in them, and what they are bound to, is said here.

// sealedVersion is the version of a plan whose items are sealed. A program that
// does not know it stops, as at any version of tomorrow.
const sealedVersion = 2

// boxLeast is the size of a box around nothing: nonce and tag.
const boxLeast = 12 + 16

var keyMonth = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])$`)

// ValidMonth reports whether s names a month as keys are named: 2026-11.
func ValidMonth(s string) bool { return keyMonth.MatchString(s) }

// Content is what a claim on item i carries: of a sealed plan the digest that
// stands in it, and so the same one when nobody can open the item any more.
func (p *Plan) Content(i int) Digest {
	if p.Key != "" {
		return p.Items[i].Digest
	}
	r := p.Request(i)
	return r.Content()
}

// Closed reports whether the plan's items are sealed and not opened: who is paid
// is not known.
func (p *Plan) Closed() bool { return p.Key != "" && p.Items[0].Recipient.Value == "" }

// Seal makes a sealed plan of one in clear and gives it the id that it then has.
// The month names the key, which is the merchant's. seal makes a box around text
// that opens only together with about; equal arguments must make equal boxes, or
// a batch sealed again after a crash would be another batch. The items stay
// readable in p, but not in what [EncodePlan] makes of it.
func (p *Plan) Seal(month string, content func(*Request) Digest, seal func(about, text []byte) []byte) {
	p.Key = month
	var about, text []byte
	for i := range p.Items {
		it, r := &p.Items[i], p.Request(i)
		it.Digest = content(&r)
		about, text = p.appendAbout(about[:0], i), it.appendPersonal(text[:0])
		it.Box = seal(about, text)
	}
	p.ID = PlanID(p)
}

// Open fills in what the plan's boxes hold, of all items or, with an error, of
// none. It changes nothing that the plan's id is made of.
func (p *Plan) Open(open func(about, box []byte) ([]byte, error)) error {
	opened := make([]PlanItem, len(p.Items))
	var about []byte
	for i := range p.Items {
		about = p.appendAbout(about[:0], i)
		text, err := open(about, p.Items[i].Box)
		if err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
		opened[i] = p.Items[i]
		if err := opened[i].readPersonal(text); err != nil {
			return fmt.Errorf("%w: the box of item %d holds no recipient", ErrRecord, i)
		}
	}
	p.Items = opened
	return nil
}

// appendAbout appends what the box of item i is bound to, so that it opens for
// no other payout, amount, merchant or recipient.
func (p *Plan) appendAbout(b []byte, i int) []byte {
	it := &p.Items[i]
	b = appendPart(b, "toplu item 1")
	b = appendPart(b, p.Merchant)
	b = appendPart(b, it.PayoutID)
	b = appendPart(b, string(it.Recipient.Type))
	b = strconv.AppendInt(b, it.Minor, 10)
	b = append(b, ':')
	b = append(b, p.Currency...)
	return append(b, it.Digest[:]...)
}

// appendPart appends a text behind its length, so that no two lists of texts
// look the same.
func appendPart(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}

// appendPersonal appends what is sealed of an item. The form of it must never
// change within a version.
func (it *PlanItem) appendPersonal(b []byte) []byte {
	b = append(b, `{"value":`...)
	b = appendText(b, it.Recipient.Value.Reveal())
	b = appendField(b, "name", it.Recipient.Name.Reveal())
	b = appendField(b, "description", it.Description.Reveal())
	b = appendMetadata(b, it.Metadata)
	return append(b, '}')
}

// readPersonal reads what appendPersonal wrote.
func (it *PlanItem) readPersonal(text []byte) error {
	r := reader{s: string(text)}
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "value":
			it.Recipient.Value = Private(r.text())
		case "name":
			it.Recipient.Name = Private(r.text())
		case "description":
			it.Description = Private(r.text())
		case "metadata":
			it.Metadata = json.RawMessage(r.raw())
		default:
			r.unknown(true)
		}
	}
	r.end()
	if r.err == nil && it.Recipient.Value == "" {
		r.fail("no recipient")
	}
	return r.err
}

// appendSealedItem appends a sealed item as it stands in a plan.
func appendSealedItem(b []byte, it *PlanItem) []byte {
	b = append(b, `,"minor":`...)
	b = strconv.AppendInt(b, it.Minor, 10)
	b = append(b, `,"content":"`...)
	b = hex.AppendEncode(b, it.Digest[:])
	b = append(b, `","box":"`...)
	b = base64.RawStdEncoding.AppendEncode(b, it.Box)
	return append(b, '"')
}

// box reads a box.
func (r *reader) box() []byte {
	b, err := base64.RawStdEncoding.Strict().DecodeString(r.text())
	if err != nil || len(b) < boxLeast {
		r.fail("a box was expected")
	}
	return b
}

// digest reads a content digest.
func (r *reader) digest() (d Digest) {
	s := r.text()
	if len(s) != 2*len(d) {
		r.fail("a digest was expected")
		return d
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		r.fail("a digest was expected")
	}
	return d
}

// checkSealing finds what no plan of its version holds: a sealed one nothing in
// clear, and one in clear no boxes.
func (p *Plan) checkSealing() error {
	for i := range p.Items {
		it := &p.Items[i]
		readable := it.Recipient.Value != "" || it.Recipient.Name != "" || it.Description != "" || it.Metadata != nil
		sealed := it.Box != nil || it.Digest != Digest{}
		if p.Key != "" && readable || p.Key == "" && sealed {
			return fmt.Errorf("%w: item %d is half sealed", ErrRecord, i)
		}
	}
	return nil
}
