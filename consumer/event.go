package consumer

import (
	"errors"
	"fmt"

	"github.com/toplu/toplu/schema"
)

// An event is a record that was read: a request, or an invalid one.
type event struct {
	source  schema.Source
	message schema.Message
	place   place
	invalid *schema.Invalid // nil: a valid request

	request schema.Event
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
		var err error
		e.request, err = schema.DecodeRequest(r.Message, p.cfg.Rules)
		if err == nil {
			e.content = e.request.Request.Content()
			e.shard = schema.Shard(e.id(), p.ports.Plans.Shards())
			continue
		}
		if !errors.As(err, &e.invalid) {
			e.invalid = &schema.Invalid{Code: schema.CodeInvalid, Problems: []schema.Problem{{Text: "cannot be read"}}}
		}
	}
	return events
}

func (e *event) id() string { return e.request.Request.PayoutID }

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
