package worker

import (
	"fmt"

	"github.com/toplu/toplu/schema"
)

// A Story is the fold of one batch told to a person: the same fold that workers
// act on, with each record and whether it counts. It is not safe for concurrent
// use.
type Story struct {
	b        *batch
	statuses []schema.Status
	lines    []StoryLine
}

// A StoryLine is a record of the batch.
type StoryLine struct {
	Offset int64
	Record schema.Record
	Void   string // why it does not count; "" if it does
}

// NewStory begins the story of a plan whose items have these owners.
func NewStory(p *schema.Plan, offset int64, owners []Owner) *Story {
	st := &Story{}
	f := foldedPlan{offset: offset, plan: p, owners: owners}
	owned, _ := f.owned()
	st.b = newBatch(p, offset, owned, func(s *schema.Status) { st.statuses = append(st.statuses, *s) })
	return st
}

// Add folds the next journal record of the batch. paused says whether a pause of
// its merchant stood. The error says that the logs show what cannot be.
func (st *Story) Add(offset int64, r *schema.Record, paused bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			impossible, ok := p.(*ImpossibleError)
			if !ok {
				panic(p)
			}
			err = impossible
		}
	}()
	why := st.b.apply(offset, r, paused)
	st.lines = append(st.lines, StoryLine{Offset: offset, Record: *r, Void: string(why)})
	return nil
}

// Lines returns the batch's records in the order of the log.
func (st *Story) Lines() []StoryLine { return st.lines }

// Statuses returns every status of a payout, in sequence.
func (st *Story) Statuses(payoutID string) []schema.Status {
	var all []schema.Status
	for _, s := range st.statuses {
		if s.PayoutID == payoutID {
			all = append(all, s)
		}
	}
	return all
}

// Closed reports whether every item is answered and the batch is closed.
func (st *Story) Closed() bool { return st.b.closed }

// Next says what is to come of the batch, as far as the logs tell.
func (st *Story) Next() string {
	b := st.b
	switch {
	case b.closed:
		return "nothing: the batch is closed, every item is answered"
	case b.settled() && b.returnable():
		return "failed items are watched for their money to come back; then the batch is closed"
	case b.settled():
		return "the batch is about to be closed"
	}
	if h := b.heldBy(); h != nil && b.phase < completing {
		return fmt.Sprintf("nothing until a person acts: held (%s: %s) by %s", h.kind, h.reason.Text, h.by)
	}
	if b.unknown != nil {
		return "iyzico is asked again what became of it: " + b.unknown.Text
	}
	switch b.phase {
	case planned:
		if !b.plan.NotBefore.IsZero() {
			return "it waits for its turn (" + notBefore(b.plan) + "); then iyzico's init is called"
		}
		return "it waits for its turn; then iyzico's init is called"
	case creating:
		return "init was called or is about to be; then it is read back"
	case created:
		return "it is read back and compared, the balance is looked at, then it is completed"
	case completing:
		if b.fenced {
			return "auth's answer was lost: it is cancelled at iyzico, and paid in a new attempt only with proof that this one is dead"
		}
		return "auth was called or is about to be; iyzico's status decides"
	case completed:
	}
	return "iyzico has it; its report is awaited"
}
