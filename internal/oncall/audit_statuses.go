package oncall

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// AuditEvents is how the statuses topic compares.
type AuditEvents struct {
	Expected int `json:"expected"` // events that the log makes
	OnTopic  int `json:"onTopic"`  // records on the topic, repeated ones and refusals included
	Repeated int `json:"repeated"` // the same event again
	Refusals int `json:"refusals"` // of requests, which are in no log
	Expired  int `json:"expired"`  // expected, and older than what the topic still has
	Since    int `json:"since"`    // written while the audit ran, of what came later
}

// An eventKey is the id of an event.
type eventKey [16]byte

// An expectation is an event that the log makes.
type expectation struct {
	hash uint64 // of its value
	seen bool
	bare bool // its metadata is not known any more, so all but it is compared
}

type eventsAudit struct {
	before   map[int]kafkaio.Offsets // the topic when the audit began
	next     map[int]int64           // first offset not read
	oldest   map[int]time.Time       // time of the first record that a cut partition still has
	expected map[eventKey]expectation
	closed   map[string]bool // batches whose plans cannot be opened
	missing  int
}

// beginEvents notes where the topic ends before the logs are read: what stands
// before that must be in them.
func (a *auditor) beginEvents(ctx context.Context) error {
	a.events = eventsAudit{next: map[int]int64{}, oldest: map[int]time.Time{}, expected: map[eventKey]expectation{}, closed: map[string]bool{}}
	var err error
	a.events.before, err = a.desk.Kafka.Offsets(ctx, a.desk.Topics.Statuses)
	for p, o := range a.events.before {
		a.events.next[p] = o.Start
	}
	return err
}

// keyOf is the key of an event with the id that its status makes.
func keyOf(id string) (k eventKey) {
	_, _ = hex.Decode(k[:], []byte(id)) // ids of ours are 32 characters of hex
	return k
}

func hashOf(value []byte) uint64 {
	full := sha256.Sum256(value)
	return binary.BigEndian.Uint64(full[:8])
}

// expect notes an event that the log makes.
func (a *auditor) expect(s *schema.Status) error {
	m := schema.EncodeStatus(s)
	id, _ := m.Get("ce_id")
	k := keyOf(id)
	a.events.expected[k] = expectation{hash: hashOf(m.Value), bare: a.events.closed[s.BatchID]}
	a.events.missing++
	return nil
}

// compareEvents reads the topic, and waits a little for what is on its way.
func (a *auditor) compareEvents(ctx context.Context) error {
	a.out.Events.Expected = len(a.events.expected)
	deadline := a.desk.Now().Add(a.options.Settle)
	for {
		if err := a.readEvents(ctx); err != nil {
			return err
		}
		if a.events.missing == 0 || !a.desk.Now().Before(deadline) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	if a.events.missing == 0 {
		return nil
	}
	return a.nameMissing(ctx)
}

func (a *auditor) readEvents(ctx context.Context) error {
	topic := a.desk.Topics.Statuses
	ends, err := a.desk.Kafka.Offsets(ctx, topic)
	if err != nil {
		return err
	}
	for p, o := range ends {
		cut := o.Start > 0
		err := a.desk.readTopic(ctx, topic, p, max(a.events.next[p], o.Start), o.End, func(r kafkaio.Record) (bool, error) {
			if _, known := a.events.oldest[p]; cut && !known {
				a.events.oldest[p] = r.Time
			}
			a.options.Told(1)
			a.event(&r)
			return true, nil
		})
		if err != nil {
			return err
		}
		a.events.next[p] = o.End
	}
	return nil
}

// event holds a record of the topic against what the log makes.
func (a *auditor) event(r *kafkaio.Record) {
	a.out.Events.OnTopic++
	old := r.Offset < a.events.before[r.Partition].End
	differ := func(payout, text string) {
		if old {
			a.differ(Difference{Where: "statuses", PayoutID: payout, Text: fmt.Sprintf("%s/%d offset %d: %s", r.Topic, r.Partition, r.Offset, text)})
			return
		}
		a.out.Events.Since++
	}
	m := r.Message()
	s, err := schema.DecodeStatus(m)
	switch {
	case err != nil:
		differ("", err.Error())
		return
	case s.Sequence == 0:
		a.out.Events.Refusals++
		return
	}
	id, _ := m.Get("ce_id")
	if id != schema.StatusID(s.PayoutID, s.Sequence, s.Status) {
		differ(s.PayoutID, "its id is not that of its payout, sequence and status")
		return
	}
	k := keyOf(id)
	e, known := a.events.expected[k]
	value := r.Value
	if e.bare {
		s.Metadata = nil
		value = schema.EncodeStatus(&s).Value
	}
	switch {
	case !known:
		differ(s.PayoutID, fmt.Sprintf("%s with sequence %d is not in the log", s.Status, s.Sequence))
	case e.hash != hashOf(value):
		differ(s.PayoutID, fmt.Sprintf("%s with sequence %d says something else than the log", s.Status, s.Sequence))
	case e.seen:
		a.out.Events.Repeated++
		return
	}
	if known && !e.seen {
		e.seen = true
		a.events.expected[k] = e
		a.events.missing--
	}
}

// nameMissing tells the log again to name the events that are not on the topic.
// What the topic no longer keeps is not missing.
func (a *auditor) nameMissing(ctx context.Context) error {
	partitions := len(a.events.before)
	for shard := range a.desk.Shards {
		logs := a.desk.Logs(shard)
		_, err := worker.Retell(ctx, shard, logs.Plans, logs.Journal, worker.Listener{Status: func(s *schema.Status) error {
			k := keyOf(schema.StatusID(s.PayoutID, s.Sequence, s.Status))
			e, expected := a.events.expected[k]
			if !expected || e.seen {
				return nil
			}
			p := kafkaio.PartitionFor([]byte(s.PayoutID), partitions)
			oldest, has := a.events.oldest[p]
			empty := a.events.before[p].Start > 0 && !has // everything has expired
			if empty || has && s.OccurredAt.Before(oldest) {
				a.out.Events.Expired++
				return nil
			}
			a.differ(Difference{Where: "statuses", Shard: shard, BatchID: s.BatchID, PayoutID: s.PayoutID, Text: fmt.Sprintf("%s with sequence %d is in the log and not on the topic", s.Status, s.Sequence)})
			return nil
		}})
		if err != nil && !isOfTheLog(err) {
			return err
		}
	}
	return nil
}
