package consumer

import (
	"fmt"

	"github.com/toplu/toplu/schema"
)

// pass leaves out what was refused, or found in conflict, when it was read
// before: its letter and its event are written.
func (r *run) pass(e *event) {
	e.place.answered()
	r.cfg.Metrics.passed()
}

// park puts a request aside that no batch has although requests further on were
// committed before: somebody has set the group's offsets back, or its batch is in
// quarantine. It may be one that must not be paid, so only a person's plan pays it.
// No event says so: it is not refused. One that is invalid as things stand is parked
// like it: what is wrong may be mended, and it must not leave by a redrive then.
func (r *run) park(e *event) {
	var id string
	if e.invalid != nil {
		id = e.invalid.PayoutID
	} else {
		id = e.id()
	}
	floor := e.place.progress.part.Floor
	r.letter(e, schema.Reason{
		Code: schema.CodeBelowFloor,
		Text: fmt.Sprintf("requests up to offset %d of this partition were answered before, and no batch has this one: the group's offsets were set back. It is paid only by a replay: toplu replay plan --parked", floor),
	}, id)
	r.cfg.Metrics.parked()
	r.often.Error().Str("payoutId", id).Int("partition", e.source.Partition).Int64("offset", e.source.Offset).Int64("floor", floor).
		Msg("a request from before the floor is put aside: it leaves the dead letters only by toplu replay run")
}
