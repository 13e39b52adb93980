package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrEvent is what [DecodeStatus] returns for what is no status event.
var ErrEvent = errors.New("not a status event")

// ErrOtherType is the [ErrEvent] of an event that is whole but of a type that
// is not payout.<its status>.v1. A later version may add such types: skip it.
var ErrOtherType = errors.New("an event of another type")

// StatusID is the id of a status event: 32 characters of hex, the same however
// often the event is written. Ledgers tell repetitions by it.
func StatusID(payoutID string, sequence int, status PayoutStatus) string {
	var room [32]byte
	return string(appendStatusID(room[:0], payoutID, sequence, status))
}

func appendStatusID(b []byte, payoutID string, sequence int, status PayoutStatus) []byte {
	var room [128]byte
	// No payout id holds a slash, so the parts cannot run into each other.
	c := append(room[:0], payoutID...)
	c = append(c, '/')
	c = strconv.AppendInt(c, int64(sequence), 10)
	c = append(c, '/')
	return appendEventID(b, append(c, status...))
}

func appendEventID(b, content []byte) []byte {
	sum := sha256.Sum256(content)
	return hex.AppendEncode(b, sum[:16])
}

// statusType is the event type of a status: payout.<status>.v1.
func statusType(s PayoutStatus) string {
	if t, ok := statusTypes[s]; ok {
		return t
	}
	return "payout." + string(s) + ".v1"
}

var statusTypes = func() map[PayoutStatus]string {
	types := map[PayoutStatus]string{}
	for s := range arrows {
		types[s] = "payout." + string(s) + ".v1"
	}
	return types
}()

// EncodeStatus writes a payout.<status>.v1 event in binary mode, its key the
// payout id.
func EncodeStatus(s *Status) Message {
	e := StatusEncoder{data: make([]byte, 0, 512+len(s.Metadata))}
	return e.encode(s)
}

// A StatusEncoder is [EncodeStatus] for many: its messages share memory, which
// is freed when none of them is needed any more. The zero value is ready. It is
// for one goroutine.
type StatusEncoder struct {
	pieces pieces
	data   []byte    // used again
	at     time.Time // of the event before, as text in moment: events come in groups of one time
	moment []byte
}

// statusPiece is what status events share at a time: some hundred.
const statusPiece = 64 << 10

// Encode writes an event.
func (e *StatusEncoder) Encode(s *Status) Message {
	e.pieces.atLeast = statusPiece
	return e.encode(s)
}

// Reset has the memory of all messages so far be used again: none of them may be
// needed any more.
func (e *StatusEncoder) Reset() { e.pieces.reset() }

func (e *StatusEncoder) encode(s *Status) Message {
	if e.moment == nil || !s.OccurredAt.Equal(e.at) {
		e.at, e.moment = s.OccurredAt, appendTime(e.moment[:0], s.OccurredAt)
	}
	var room [32]byte
	ev := event{
		kind: statusType(s.Status), id: appendStatusID(room[:0], s.PayoutID, s.Sequence, s.Status),
		subject: s.PayoutID, at: e.moment, trace: s.TraceParent,
	}
	e.data = appendStatus(e.data[:0], s, e.moment)
	e.pieces.reserve(len(e.data), 0)
	return ev.message(&e.pieces, put(&e.pieces, e.data))
}

func appendStatus(b []byte, s *Status, at []byte) []byte {
	b = append(b, `{"payoutId":`...)
	b = appendText(b, s.PayoutID)
	b = appendField(b, "merchant", s.Merchant)
	b = append(b, `,"sequence":`...)
	b = strconv.AppendInt(b, int64(s.Sequence), 10)
	b = appendField(b, "previousStatus", string(s.PreviousStatus))
	b = append(b, `,"status":`...)
	b = appendText(b, string(s.Status))
	b = append(b, `,"final":`...)
	b = strconv.AppendBool(b, s.isFinal())
	b = appendField(b, "batchId", s.BatchID)
	b = appendField(b, "requestId", s.RequestID)
	b = appendField(b, "referenceCode", s.ReferenceCode)
	if s.Amount.Currency != "" {
		b = appendMoney(b, "amount", s.Amount)
	}
	if s.Commission != nil {
		b = appendMoney(b, "commission", *s.Commission)
	}
	if s.Reason != nil {
		b = append(b, `,"reason":{"code":`...)
		b = appendText(b, s.Reason.Code)
		b = appendField(b, "text", s.Reason.Text)
		b = append(b, '}')
	}
	b = append(b, `,"occurredAt":"`...)
	b = append(b, at...)
	b = append(b, '"')
	b = appendSource(b, s.Source)
	b = appendMetadata(b, s.Metadata)
	return append(b, '}')
}

// statusRefused is the word in the place of a status in a refusal event. It is
// no status: no payout is ever in it.
const statusRefused = "request_refused"

// A Refusal is the data of a payout.request_refused.v1 event: a request that
// never became a payout. It is no status of the payout and never booked; a
// corrected request may follow under the same id.
type Refusal struct {
	PayoutID   string
	Merchant   string
	Reason     Reason
	OccurredAt time.Time
	Source     Source // of the request
	Metadata   json.RawMessage
}

// EncodeRefusal writes the event in binary mode, its key the payout id and its
// id a hash of the request's place.
func EncodeRefusal(r *Refusal) Message {
	s := Status{
		PayoutID: r.PayoutID, Merchant: r.Merchant, Status: statusRefused, Reason: &r.Reason,
		OccurredAt: r.OccurredAt, Source: r.Source, Metadata: r.Metadata,
	}
	place := fmt.Appendf(nil, "%s/%d/%d", r.Source.Topic, r.Source.Partition, r.Source.Offset)
	at := appendTime(nil, r.OccurredAt)
	e := event{kind: TypeRefused, id: appendEventID(nil, place), subject: r.PayoutID, at: at}
	return e.message(new(pieces), appendStatus(nil, &s, at))
}

// DecodeStatus reads a status event in either mode of the CloudEvents Kafka
// binding. A status of a later version is kept as text, fields of a later
// version are left alone. A refusal reads as status "request_refused" with
// sequence 0. The error is an [ErrEvent]; if it is an [ErrOtherType] too, the
// event is for somebody else.
func DecodeStatus(m Message) (Status, error) {
	var s Status
	e, bad := openEnvelope(m, s.read)
	if bad == nil && e.otherType(s.Status) || bad != nil && ofOtherType(m) {
		return Status{}, fmt.Errorf("%w: %w", ErrEvent, ErrOtherType)
	}
	if bad != nil {
		return Status{}, fmt.Errorf("%w: %w", ErrEvent, bad)
	}
	if p := e.problems(isVersion1, "payout.<status>.v1"); p != nil {
		return Status{}, fmt.Errorf("%w: %w", ErrEvent, &Invalid{Code: CodeNotCloudEvent, Problems: p})
	}
	switch {
	case s.PayoutID == "" || s.Status == "" || s.Sequence < 0:
		return Status{}, fmt.Errorf("%w: payoutId, sequence or status is missing", ErrEvent)
	case !e.plain && e.kind != statusType(s.Status):
		return Status{}, fmt.Errorf("%w: its type and its status differ", ErrEvent)
	case (s.Sequence == 0) != (s.Status == statusRefused):
		return Status{}, fmt.Errorf("%w: sequence 0 is for refused requests", ErrEvent)
	}
	s.Final = s.isFinal()
	s.TraceParent = e.traceParent()
	return s, nil
}

func isVersion1(kind string) bool {
	return strings.HasPrefix(kind, "payout.") && strings.HasSuffix(kind, ".v1")
}

// otherType reports whether an event with a status in its data is of a type that
// is none of a status. The types known here are not: there the status is wrong.
func (e *envelope) otherType(status PayoutStatus) bool {
	switch {
	case e.plain || e.kind == statusType(status):
		return false
	case !isVersion1(e.kind):
		return true
	}
	word := PayoutStatus(strings.TrimSuffix(strings.TrimPrefix(e.kind, "payout."), ".v1"))
	return word != statusRefused && statusTypes[word] == ""
}

// ofOtherType is otherType for an event whose data is not that of a status: it
// looks at nothing in it but the status.
func ofOtherType(m Message) bool {
	var status PayoutStatus
	e, bad := openEnvelope(m, func(r *reader) {
		if r.peek() != '{' {
			r.skip()
			return
		}
		var seen names
		for r.enter('{'); r.more('}'); {
			if r.name(&seen) == "status" && r.peek() == '"' {
				status = PayoutStatus(r.text())
				continue
			}
			r.skip()
		}
	})
	if bad != nil { // the data is not even JSON; that is a later version's affair
		return e.kind != "" && !isVersion1(e.kind)
	}
	return e.otherType(status)
}

// read reads the data of a status event.
func (s *Status) read(r *reader) {
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "payoutId":
			s.PayoutID = r.text()
		case "merchant":
			s.Merchant = r.text()
		case "sequence":
			s.Sequence = int(r.int())
		case "previousStatus":
			s.PreviousStatus = PayoutStatus(r.text())
		case "status":
			s.Status = PayoutStatus(r.text())
		case "batchId":
			s.BatchID = r.text()
		case "requestId":
			s.RequestID = r.text()
		case "referenceCode":
			s.ReferenceCode = r.text()
		case "amount":
			s.Amount = r.money()
		case "commission":
			fee := r.money()
			s.Commission = &fee
		case "reason":
			s.Reason = r.reason(false)
		case "occurredAt":
			s.OccurredAt = r.time()
		case "source":
			s.Source = r.source(false)
		case "metadata":
			if raw := r.raw(); strings.HasPrefix(raw, "{") {
				s.Metadata = compact(raw)
			}
		case "final":
			s.Final = r.raw() == "true"
		default:
			r.skip()
		}
	}
}

// money reads what appendMoney wrote.
func (r *reader) money() Amount {
	var a Amount
	var seen names
	for r.enter('{'); r.more('}'); {
		switch r.name(&seen) {
		case "value":
			n, err := ParseMinor(r.text())
			if err != nil {
				r.fail("an amount was expected")
			}
			a.Minor = n
		case "currency":
			a.Currency = Currency(r.text())
		default:
			r.skip()
		}
	}
	return a
}
