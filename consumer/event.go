package consumer

import (
	"errors"
	"fmt"

	"github.com/toplu/toplu/schema"
)

// An event is a record that was read: a request, the cancel of one, or an
// invalid one.
type event struct {
	source  schema.Source
	message schema.Message
	place   place
	below   bool            // its partition's floor: it pays nothing new
	told    bool            // it has had its answer
	invalid *schema.Invalid // nil: a valid request
	// misplaced says why a valid request is not taken from this topic; nil: it is.
	misplaced *schema.Invalid

	request schema.Event
	cancel  *schema.Cancel // nil: a request
	content schema.Digest
	shard   int
}

// decode reads records. Many goroutines do so at the same time, a partition
// each: decoding and hashing are most of the work.
func (p *Planner) decode(topic string, partition int, records []Record) []event {
	events := make([]event, len(records))
	for i, r := range records {
		e := &events[i]
		e.source = schema.Source{Topic: topic, Partition: partition, Offset: r.Offset}
		e.message = r.Message
		err := e.decode(r.Message, p.cfg.Rules, p.ports.Seal)
		if err == nil {
			e.shard = schema.Shard(e.id(), p.ports.Plans.Shards())
			continue
		}
		if !errors.As(err, &e.invalid) {
			e.invalid = &schema.Invalid{Code: schema.CodeInvalid, Problems: []schema.Problem{{Text: "cannot be read"}}}
		}
	}
	return events
}

// decode reads a request or a cancel.
func (e *event) decode(m schema.Message, rules *schema.Rules, seal Seal) (err error) {
	if !schema.IsCancel(m) {
		if e.request, err = schema.DecodeRequest(m, rules); err == nil {
			e.content = seal.Content(&e.request.Request)
			e.misplaced = rules.Misplaced(e.source.Topic, &e.request.Request)
		}
		return err
	}
	c, err := schema.DecodeCancel(m)
	e.cancel = &c
	return err
}

// id is the payout's.
func (e *event) id() string {
	if e.cancel != nil {
		return e.cancel.PayoutID
	}
	return e.request.Request.PayoutID
}

// item is the event as an item of a plan.
func (e *event) item() schema.PlanItem {
	r := &e.request.Request
	id := e.request.ID
	if id == "" {
		id = fmt.Sprintf("%s/%d/%d", e.source.Topic, e.source.Partition, e.source.Offset)
	}
	return schema.PlanItem{
		PayoutID: r.PayoutID, Recipient: r.Recipient, Minor: r.Amount.Minor, Description: r.Description,
		Metadata: r.Metadata, EventID: id, TraceParent: e.request.TraceParent, Source: e.source,
	}
}
