package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/toplu/toplu/schema"
)

// errLater says that a command has to wait: for its batch to be in memory, or for
// what iyzico says of it.
var errLater = errors.New("the batch is being read, or iyzico is being asked about it")

// followCommands makes the shard's commands journal records, one after the
// other, for as long as ctx lasts. Every command leaves exactly one record that
// counts, if only a note: what was asked, by whom and why is part of the story,
// and where to go on after a restart is in the fold.
func (s *Shard) followCommands(ctx context.Context) func() {
	// A shard that is stuck at a plan nobody can read takes commands too.
	if s.ports.Commands == nil || s.wait(ctx, func() bool { return s.ready() || s.stuckAt != None }) != nil {
		return nil
	}
	retry := s.cfg.backOff(s.cfg.Grace)
	for ctx.Err() == nil {
		if err := s.takeCommands(ctx); err != nil {
			if s.logLost(ctx, "commands", err) || pause(ctx, retry.NextBackOff()) != nil {
				return nil
			}
			continue
		}
		retry.Reset()
	}
	return nil
}

// takeCommands deals with what comes next in the shard's commands.
func (s *Shard) takeCommands(ctx context.Context) error {
	var next int64
	if err := s.hand(ctx, func() { next = s.commandsNext }); err != nil {
		return err
	}
	chunk, err := s.ports.Commands.Read(ctx, next)
	if err != nil {
		return err
	}
	for _, e := range chunk.Entries {
		if err := s.obey(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// obey deals with one command, and returns when its record has been read back.
func (s *Shard) obey(ctx context.Context, e Entry) error {
	c, err := schema.DecodeCommand(e.Value)
	if err != nil {
		return s.note(ctx, e.Offset, &c, "unreadable", err.Error())
	}
	if c.Kind == schema.CmdImport {
		if refusal, err := s.importIDs(ctx, &c); err != nil || refusal != nil {
			if err != nil {
				return err
			}
			return s.answer(ctx, e.Offset, &c, *refusal)
		}
	}
	if c.PayoutID != "" {
		found, err := s.locate(ctx, &c)
		if err != nil {
			return err
		}
		if !found {
			return s.note(ctx, e.Offset, &c, "not_seen", "no batch has this payout")
		}
	}
	for {
		var seen sighting
		if c.Kind == schema.CmdResolve {
			if seen, err = s.hear(ctx, &c); err != nil {
				return err
			}
		}
		var r *schema.Record
		var later error
		if err := s.hand(ctx, func() { r, later = s.decide(&c, seen) }); err != nil {
			return err
		}
		if later == nil {
			return s.answer(ctx, e.Offset, &c, *r)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// locate finds the batch that owns a payout. The claims must have taken in every
// plan that there is, or a Redis that was rolled back would have a cancel refused
// whose payout stands in the log; they cannot while the shard is stuck.
func (s *Shard) locate(ctx context.Context, c *schema.Command) (bool, error) {
	_, end, err := s.ports.Plans.Bounds(ctx)
	if err != nil {
		return false, err
	}
	folded := end - 1
	var epoch string
	if err := s.hand(ctx, func() {
		epoch = s.epoch
		if s.stuckAt != None {
			folded = None
		}
	}); err != nil {
		return false, err
	}
	owners, err := s.ports.Claims.Lookup(ctx, s.number, epoch, folded, []string{c.PayoutID})
	s.doubt(err)
	if err != nil || owners[0].Offset == None {
		return false, err
	}
	c.Plan = owners[0].Offset
	return true, nil
}

// decide makes a record of a command, given the fold as it stands. It is judged
// again when it is read back: what happened in between is before it in the log.
func (s *Shard) decide(c *schema.Command, seen sighting) (*schema.Record, error) {
	why := &schema.Reason{Code: "command", Text: c.Reason}
	switch c.Kind {
	case schema.CmdPause:
		return &schema.Record{Type: schema.RecPaused, Scope: c.Merchant, Reason: why}, nil
	case schema.CmdUnpause:
		var which []int64
		for at, scope := range s.pauses {
			if scope == c.Merchant && !s.closings[at] {
				which = append(which, at)
			}
		}
		switch {
		case len(which) == 0 && len(s.closings) > 0:
			return noted("closed_shard", ErrClosed.Error()), nil
		case len(which) == 0:
			return noted("not_paused", "nothing is paused there"), nil
		}
		slices.Sort(which)
		return &schema.Record{Type: schema.RecResumed, Which: which, Reason: why}, nil
	case schema.CmdQuarantine:
		if c.Plan != s.stuckAt {
			return noted("readable", "the shard is not stuck at that plan"), nil
		}
		return &schema.Record{Type: schema.RecQuarantined, Plan: c.Plan, Reason: why}, nil
	case schema.CmdRebuild, schema.CmdReemit, schema.CmdRedrive, schema.CmdReplay:
		return noted(string(c.Kind), c.Reason), nil
	case schema.CmdAccept:
		return &schema.Record{Type: schema.RecFloor, Floors: []schema.Floor{*c.Floor}, Reason: why}, nil
	case schema.CmdOpen:
		if len(s.closings) == 0 {
			return noted("not_closed", "the shard is not closed"), nil
		}
		return &schema.Record{Type: schema.RecResumed, Which: slices.Sorted(maps.Keys(s.closings)), Reason: why}, nil
	case schema.CmdImport:
		return noted("imported", strconv.Itoa(len(c.Imports))+" payout ids are used up: "+c.Reason), nil
	case schema.CmdHold, schema.CmdResume, schema.CmdCancel, schema.CmdResolve:
	}
	if !s.ready() {
		return noted("stuck", s.stuck), nil
	}
	b := s.batches[c.Plan]
	if b == nil && (s.takeTurn(c.Plan) || s.rouse(c.Plan)) || b != nil && b.plan == nil {
		return nil, errLater
	}
	if b == nil {
		return noted("closed", "every payout of the batch is answered and the batch is closed"), nil
	}
	if c.Batch != "" && c.Batch != b.plan.ID {
		return noted("no_such_batch", "another batch stands at this plan offset"), nil
	}
	var r *schema.Record
	switch {
	case c.Topic != "" && !s.standsRight(b, c):
		r = noted(schema.CodeWrongTopic, "the cancel stood in "+c.Topic+", where the payout was not asked for and its merchant takes no requests from")
	case c.Kind == schema.CmdResolve && b.disputed() && seen.requestID != c.RequestID:
		return nil, errLater // iyzico was not asked
	default:
		r = b.obey(c, why, seen.contradiction)
	}
	r.Batch, r.Plan = b.plan.ID, b.offset
	return r, nil
}

// standsRight reports whether an order system's cancel is from where only those
// may write who may ask for the payout: the topic of its request, which stays
// right when the merchant's topics change, or one that the merchant names now.
func (s *Shard) standsRight(b *batch, c *schema.Command) bool {
	return b.plan.Items[b.index(c.PayoutID)].Source.Topic == c.Topic || slices.Contains(s.cfg.terms(b.merchant).Topics, c.Topic)
}

// obey makes a record of a command about the batch.
func (b *batch) obey(c *schema.Command, why *schema.Reason, contradiction string) *schema.Record {
	switch c.Kind {
	case schema.CmdHold:
		return &schema.Record{Type: schema.RecHeld, Hold: schema.HoldPolicy, Reason: why}
	case schema.CmdResume:
		var which []int64
		for at, h := range b.holds {
			if len(h.items) == 0 {
				which = append(which, at)
			}
		}
		if len(which) == 0 {
			return noted("not_held", "the batch has no hold that can be resumed; one of an item is lifted by its cancel")
		}
		slices.Sort(which)
		return &schema.Record{Type: schema.RecResumed, Which: which, Reason: why}
	case schema.CmdCancel:
		return b.obeyCancel(c, why)
	case schema.CmdResolve:
		return b.obeyResolve(c, why, contradiction)
	case schema.CmdPause, schema.CmdUnpause, schema.CmdQuarantine, schema.CmdRebuild, schema.CmdReemit, schema.CmdRedrive, schema.CmdReplay, schema.CmdAccept, schema.CmdImport, schema.CmdOpen:
	}
	panic(&ImpossibleError{b.plan.ID, "a command " + string(c.Kind) + " about a batch"})
}

func (b *batch) obeyCancel(c *schema.Command, why *schema.Reason) *schema.Record {
	r := &schema.Record{Type: schema.RecCancel, Reason: why}
	if c.PayoutID == "" {
		if b.settled() {
			return noted("answered", "every payout of the batch is answered")
		}
		return r
	}
	i := b.index(c.PayoutID)
	if !b.open(i) {
		return noted("answered", "the payout is "+string(b.items[i].status))
	}
	r.Only = []int{i}
	return r
}

func noted(code, text string) *schema.Record {
	return &schema.Record{Type: schema.RecNoted, Reason: &schema.Reason{Code: code, Text: text}}
}

// note answers a command that changes nothing.
func (s *Shard) note(ctx context.Context, offset int64, c *schema.Command, code, text string) error {
	return s.answer(ctx, offset, c, *noted(code, text))
}

// answer writes a command's record and waits until it has been read back.
func (s *Shard) answer(ctx context.Context, offset int64, c *schema.Command, r schema.Record) error {
	r.By, r.Command, r.Session, r.At = orElse(c.By, "unknown"), offset+1, s.session, s.ports.Now()
	value, err := schema.EncodeRecord(&r)
	if err != nil {
		return err
	}
	key := r.Batch
	if key == "" {
		key = string(r.Type)
	}
	if _, err := s.ports.Journal.Append(ctx, schema.Message{Key: []byte(key), Value: value}); err != nil {
		return err
	}
	s.log.Info().Str("kind", string(c.Kind)).Str("by", r.By).Str("batch", r.Batch).Str("record", string(r.Type)).Msg("command")
	return s.wait(ctx, func() bool { return s.commandsNext > offset })
}
