package worker

import (
	"context"
	"strconv"
	"time"

	"github.com/toplu/toplu/schema"
)

// The outbox holds statuses that the fold has made and the broker has not
// acknowledged. A crash loses them all; the next session folds the same records
// again, makes the same events, with the same ids, and publishes them.
type outbox struct {
	waiting   []parcel  // not in a write yet; the last is being filled
	flying    *parcel   // in the write that is under way; nil: none is
	spare     parcel    // to be filled next, in memory that was used before
	rests     time.Time // since when nothing has been written
	tally     tally
	emitted   int       // statuses ever put in
	published int       // statuses ever acknowledged
	tellings  []telling // of those that wait and are traced
}

// A parcel is the statuses of one write, and their memory.
type parcel struct {
	messages []schema.Message
	encoder  schema.StatusEncoder
}

const (
	outboxRoom = 10_000 // statuses that may wait before the log readers wait too
	publishMax = 2_000  // statuses in one write
)

func (o *outbox) empty() bool { return len(o.waiting) == 0 && o.flying == nil }

func (o *outbox) full() bool { return o.emitted-o.published > outboxRoom }

// add puts a status into the parcel that is being filled.
func (o *outbox) add(st *schema.Status) {
	last := len(o.waiting) - 1
	if last < 0 || len(o.waiting[last].messages) >= publishMax {
		o.waiting = append(o.waiting, o.spare)
		o.spare = parcel{}
		last++
	}
	p := &o.waiting[last]
	p.messages = append(p.messages, p.encoder.Encode(st))
	o.emitted++
}

// take gives what the next write has. Nobody touches it until the broker has
// acknowledged it: a write given up may still be under way.
func (o *outbox) take() []schema.Message {
	p := o.waiting[0]
	o.waiting[0] = parcel{}
	o.waiting = o.waiting[1:]
	o.flying = &p
	return p.messages
}

// landed notes that the broker has the statuses of the write that was under way.
// Their memory is used again.
func (o *outbox) landed(now time.Time) {
	p := o.flying
	o.flying, o.rests = nil, now
	o.published += len(p.messages)
	p.encoder.Reset()
	p.messages = p.messages[:0]
	o.spare = *p
}

// trim frees the memory of an outbox in which nothing has happened for a while.
func (o *outbox) trim(now time.Time) {
	if o.spare.messages != nil && now.Sub(o.rests) > time.Second {
		o.spare = parcel{}
	}
}

// emit puts a status into the outbox.
func (s *Shard) emit(st *schema.Status) {
	s.outbox.tally.count(st)
	s.outbox.add(st)
	s.telling(st)
	s.log.Debug().Str("payout", st.PayoutID).Str("batch", st.BatchID).Int("sequence", st.Sequence).Str("status", string(st.Status)).Msg("status")
}

// publish writes what waits, one write at a time so that the order per payout
// is kept.
func (s *Shard) publish() {
	o := &s.outbox
	switch {
	case o.empty():
		o.trim(s.ports.Now())
		return
	case o.flying != nil:
		return
	}
	part := o.take()
	s.spawn(func(ctx context.Context) func() {
		err := s.persist(ctx, "statuses", func() error { return s.ports.Statuses.Publish(ctx, part) })
		return func() {
			if err != nil { // only when the shard is given up
				o.waiting, o.flying = nil, nil
				return
			}
			o.landed(s.ports.Now())
			s.acknowledged()
			if !o.full() {
				s.unpark()
			}
			s.advanceAll()
		}
	})
}

// persist repeats f until it succeeds or ctx ends.
func (s *Shard) persist(ctx context.Context, what string, f func() error) error {
	retry := s.cfg.backOff(s.cfg.Grace)
	for {
		err := f()
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.log.Warn().Err(err).Str("what", what).Msg("cannot write, trying again")
		if err := pause(ctx, retry.NextBackOff()); err != nil {
			return err
		}
	}
}

// conflict puts a request aside whose payout id was used before with other
// content: as it came if the source still has it, else as the plan has it.
func (s *Shard) conflict(plan *schema.Plan, i int) {
	it := plan.Items[i]
	r, closed := plan.Request(i), plan.Closed()
	s.check.owing++
	s.spawn(func(ctx context.Context) func() {
		m, err := s.ports.Originals.Original(ctx, it.Source)
		if err != nil && closed {
			m = schema.Message{Key: []byte(r.PayoutID)} // nobody knows any more what it said
		} else if err != nil {
			m = schema.EncodeRequest(&r, it.EventID, plan.At)
		}
		dead := schema.DeadLetter{
			Message: m, Code: "conflict", PayoutID: r.PayoutID, Source: it.Source, At: s.ports.Now(),
			Text: "this payout id was used before with another recipient, amount, currency or merchant; send the payment under a new id if it is meant",
		}
		err = s.persist(ctx, "dead letter", func() error {
			sealed := dead
			if err := s.ports.Seal.SealLetter(&sealed, r.Merchant); err != nil {
				return err
			}
			return s.ports.DeadLetters.Publish(ctx, []schema.Message{sealed.Encode()})
		})
		return func() {
			if err == nil {
				s.check.owing--
			}
		}
	})
}

// call runs a step of a batch beside the loop; nothing else is done about the
// batch before it has ended.
func (s *Shard) call(b *batch, step string, run func(ctx context.Context) func()) {
	b.drive.busy = true
	about := s.tale(b)
	s.spawn(func(ctx context.Context) func() {
		ctx, end := s.told(ctx, about, step)
		then := run(ctx)
		end()
		return func() {
			b.drive.busy = false
			then()
			if current := s.batches[b.offset]; current != nil {
				s.advance(current)
			}
		}
	})
}

// ask is call for what decides about the present phase of an attempt: an answer
// that comes when the journal has gone on is not looked at.
func (s *Shard) ask(b *batch, step string, run func(ctx context.Context) func()) {
	attempt, at := b.attempt, b.phase
	s.call(b, step, func(ctx context.Context) func() {
		then := run(ctx)
		return func() {
			if b.attempt == attempt && b.phase == at {
				then()
			}
		}
	})
}

// write appends records about a batch. The session acts on them when it has
// read them back, not before.
func (s *Shard) write(b *batch, records ...schema.Record) { s.writeAt(b, b.attempt, records...) }

func (s *Shard) writeAt(b *batch, attempt int, records ...schema.Record) {
	b.drive.busy = true
	messages := make([]schema.Message, len(records))
	for i := range records {
		r := &records[i]
		r.Batch, r.Plan, r.Session, r.At, r.Attempt = b.plan.ID, b.offset, s.session, s.ports.Now(), attempt
		value, err := schema.EncodeRecord(r)
		if err != nil {
			panic(&ImpossibleError{b.plan.ID, err.Error()})
		}
		messages[i] = schema.Message{Key: []byte(b.plan.ID), Value: value}
	}
	about := s.tale(b)
	s.spawn(func(ctx context.Context) func() {
		ctx, end := s.told(ctx, about, "journal "+string(records[0].Type))
		offsets, err := s.ports.Journal.Append(ctx, messages...)
		end()
		return func() {
			if err != nil {
				// It may be in the log, or come late. Either way the next step is
				// decided by what is read.
				s.log.Warn().Err(err).Str("batch", b.plan.ID).Str("record", string(records[0].Type)).Msg("the journal did not acknowledge a record")
				b.drive.busy = false
				s.again(b, s.cfg.Grace)
				return
			}
			last := offsets[len(offsets)-1]
			if s.journalNext > last {
				b.drive.busy = false
				s.advance(b)
				return
			}
			b.drive.awaits = last
		}
	})
}

// hold writes a hold of toplu's own.
func (s *Shard) hold(b *batch, kind schema.HoldKind, code, text string) {
	b.drive.asked = nil
	s.log.Error().Str("batch", b.plan.ID).Str("code", code).Str("reason", text).Msg("batch held: a person must look")
	s.ports.Metrics.held()
	s.write(b, schema.Record{Type: schema.RecHeld, Hold: kind, By: "toplu", Reason: &schema.Reason{Code: code, Text: text}})
}

// appendShardRecord writes a record about the shard itself.
func (s *Shard) appendShardRecord(ctx context.Context, r schema.Record) error {
	r.Session, r.At = s.session, s.ports.Now()
	value, err := schema.EncodeRecord(&r)
	if err != nil {
		return err
	}
	_, err = s.ports.Journal.Append(ctx, schema.Message{Key: []byte(r.Type), Value: value})
	return err
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
