package schema

import (
	"bytes"
	"strings"
	"time"
)

// TypeCancel is the type of the event by which an order system withdraws a
// payout that it asked for. It stands in the topic of its request with the payout
// id as its key, so in the partition of its request and after it.
const TypeCancel = "payout.cancel.v1"

// CodeNothingToCancel says that no batch has the payout that a cancel names.
const CodeNothingToCancel = "nothing_to_cancel"

// A Cancel is data of a payout.cancel.v1 event: the wish to withdraw a payout.
// What became of it is the payout's next status: cancelled, or where it came too
// late the one that it would have had.
type Cancel struct {
	PayoutID string
	Reason   string // for the payout's story; nothing about persons
	Source   string // ce_source of the event, "" if it has none
	ID       string // ce_id of the event, "" if it has none
}

// IsCancel reports whether a message says that it is a payout.cancel.v1 event,
// in either mode. It may still be a broken one; see [DecodeCancel].
func IsCancel(m Message) bool {
	if kind, ok := m.header("ce_type"); ok {
		return string(kind) == TypeCancel
	}
	// Before every request is read twice: few values have these bytes in them.
	if !bytes.Contains(m.Value, []byte(TypeCancel)) {
		return false
	}
	e, _ := openEnvelope(m, (*reader).skip)
	return e.kind == TypeCancel
}

// DecodeCancel reads a payout.cancel.v1 event in either mode of the CloudEvents
// Kafka binding. The error is an [*Invalid] and lists every mistake. Safe for
// concurrent use.
func DecodeCancel(m Message) (Cancel, error) {
	var d draft
	var reason given
	e, bad := openEnvelope(m, func(r *reader) { d.readCancel(r, &reason) })
	if bad != nil {
		return Cancel{}, bad
	}
	if e.plain {
		return Cancel{}, invalid(CodeNotCloudEvent, "type", "must be "+TypeCancel)
	}
	if p := e.problems(func(t string) bool { return t == TypeCancel }, TypeCancel); p != nil {
		return Cancel{}, &Invalid{Code: CodeNotCloudEvent, Problems: p}
	}
	ev := &Event{}
	c := checker{ev: ev, problems: d.problems}
	if !d.none {
		c.payoutID(d.payoutID)
		c.line("reason", reason)
	}
	if c.problems != nil {
		return Cancel{}, c.invalid()
	}
	out := Cancel{PayoutID: ev.Request.PayoutID, Reason: reason.text, ID: e.id}
	if len(e.source) <= maxAttribute && printable(e.source) {
		out.Source = e.source
	}
	// The value may be large, and this is kept.
	out.PayoutID, out.Reason, out.Source, out.ID = strings.Clone(out.PayoutID), strings.Clone(out.Reason), strings.Clone(out.Source), strings.Clone(out.ID)
	return out, nil
}

// readCancel reads the data of a cancel. Fields it does not know are left alone.
func (d *draft) readCancel(r *reader, reason *given) {
	if !d.isObject(r) {
		return
	}
	var seen names
	for r.enter('{'); r.more('}'); {
		switch name := r.name(&seen); name {
		case "payoutId":
			d.text(r, name, &d.payoutID)
		case "reason":
			d.text(r, name, reason)
		default:
			r.skip()
		}
	}
}

// EncodeCancel writes a payout.cancel.v1 event in binary mode, its key the payout
// id. It checks nothing.
func EncodeCancel(c *Cancel, at time.Time) Message {
	b := append([]byte(nil), `{"payoutId":`...)
	b = appendText(b, c.PayoutID)
	b = appendField(b, "reason", c.Reason)
	b = append(b, '}')
	e := event{kind: TypeCancel, id: []byte(c.ID), source: c.Source, subject: c.PayoutID, at: appendTime(nil, at)}
	return e.message(new(pieces), b)
}
