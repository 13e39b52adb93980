package consumer

import (
	"context"

	"github.com/toplu/toplu/schema"
)

// withdrawal is a cancel that waits to be passed on.
type withdrawal struct {
	shard   int
	command schema.Command
	place   place
}

// cancel passes the wish to withdraw a payout on to the worker of its shard, who
// makes it a record of the journal, as a command of a person's. The payout's
// plan is in the log by now, so the worker finds it.
//
// Commit point: the event is answered when the command is durable. A crash in
// between has the event read again and the command given twice; the second one
// changes nothing.
func (r *run) cancel(e *event) {
	by := "an order system"
	if e.cancel.Source != "" {
		by = "order system " + e.cancel.Source
	}
	r.letters.withdrawals = append(r.letters.withdrawals, withdrawal{e.shard, schema.Command{
		Kind: schema.CmdCancel, PayoutID: e.cancel.PayoutID, Topic: e.source.Topic, By: by, Reason: e.cancel.Reason, At: r.cfg.Now(),
	}, e.place})
	r.cfg.Metrics.cancel()
}

// nothingToCancel puts a cancel aside that comes before its request, or whose
// request was refused. It must not kill a request that comes later, and must
// not pass in silence. There is no event: a refusal is about a request, and an
// order system that takes it for its request's pays again under another id.
func (r *run) nothingToCancel(e *event) {
	r.letter(e, schema.Reason{
		Code: schema.CodeNothingToCancel,
		Text: "no payout with this id was accepted before this cancel, and it has no effect on a later one: cancel again after the request, with the same key",
	}, e.cancel.PayoutID)
	r.cfg.Metrics.refused(schema.CodeNothingToCancel)
	r.often.Error().Str("payoutId", e.cancel.PayoutID).Int("partition", e.source.Partition).Int64("offset", e.source.Offset).
		Msg("a cancel finds nothing to cancel")
}

// passOn writes the commands.
func (r *run) passOn(ctx context.Context, all []withdrawal) error {
	for i := range all {
		err := r.insist(ctx, "commands", func() error {
			return r.ports.Commands.Append(ctx, all[i].shard, &all[i].command)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
