package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
)

// A person looks after a shard: meddles during the storm, and afterwards
// answers what only people may.
type person struct {
	w      *world
	sh     *shard
	rounds map[int64]int // by plan: how often it was found unanswered
	opened bool          // the shard, if it was closed
}

// A note is a journal record as people read it.
type note struct {
	Type      string
	Batch     string
	Plan      int64
	Attempt   int
	RequestID string
	Which     []int64
	Hold      string
	Command   int64
}

// A story is what a person gathers from a shard's journal.
type story struct {
	epoch   bool
	pauses  []int64
	batches map[int64]*chapter
}

// A chapter is one batch of a story.
type chapter struct {
	holds    []int64 // not lifted
	created  []note
	foreign  bool
	unknown  bool
	complete bool // a completing was written, whether it counted or not
}

// read reads the journal, without the rules of what counts.
func (p *person) read() story {
	st, obeyed := story{batches: map[int64]*chapter{}}, map[int64]bool{}
	chunk, _ := p.sh.journal.Read(context.Background(), 0)
	for _, e := range chunk.Entries {
		var n note
		if err := json.Unmarshal(e.Value, &n); err != nil {
			panic(err)
		}
		if obeyed[n.Command] && n.Command > 0 {
			continue // written twice, counts once
		}
		obeyed[n.Command] = true
		if n.Batch == "" {
			switch n.Type {
			case "epoch":
				st.epoch = true
			case "paused":
				st.pauses = append(st.pauses, e.Offset)
			case "resumed":
				st.pauses = slices.DeleteFunc(st.pauses, func(o int64) bool { return slices.Contains(n.Which, o) })
			}
			continue
		}
		c := st.batches[n.Plan]
		if c == nil {
			c = &chapter{}
			st.batches[n.Plan] = c
		}
		switch n.Type {
		case "held":
			c.holds = append(c.holds, e.Offset)
			c.foreign = c.foreign || n.Hold == "foreign"
		case "resumed":
			c.holds = slices.DeleteFunc(c.holds, func(o int64) bool { return slices.Contains(n.Which, o) })
		case "created":
			c.created = append(c.created, n)
		case "completing":
			c.complete = true
		case "unknown":
			c.unknown = true
		}
	}
	return st
}

// write appends a record as a person.
func (p *person) write(r schema.Record) {
	r.Session, r.At = "person", time.Now().UTC()
	value, err := schema.EncodeRecord(&r)
	if err != nil {
		panic(err)
	}
	key := r.Batch
	if key == "" {
		key = string(r.Type)
	}
	at, _ := p.sh.journal.Append(context.Background(), schema.Message{Key: []byte(key), Value: value})
	p.w.trace.add("person", fmt.Sprintf("shard %d: %s at %d", p.sh.n, r.Type, at[0]), "", value)
}

// meddle writes one record that a person may write at any time.
func (p *person) meddle() {
	w := p.w
	owned := p.w.ownership(p.sh)
	plans := slices.Sorted(maps.Keys(owned))
	st := p.read()
	if !st.epoch {
		return // commands become records through a worker, who begins the journal first
	}
	if w.one(2) {
		p.command(owned, plans)
		return
	}
	if w.one(6) {
		if len(st.pauses) > 0 {
			p.write(schema.Record{Type: schema.RecResumed, Which: st.pauses[:1]})
			return
		}
		p.write(schema.Record{Type: schema.RecPaused, By: "person", Scope: choose(w.rnd, "", "default", "another")})
		return
	}
	if len(plans) == 0 {
		return
	}
	o := owned[plans[w.rnd.IntN(len(plans))]]
	r := schema.Record{Batch: o.batch, Plan: o.plan}
	c := st.batches[o.plan]
	switch n := w.rnd.IntN(4); {
	case n == 0 && c != nil && len(c.holds) > 0:
		r.Type, r.Which = schema.RecResumed, []int64{c.holds[w.rnd.IntN(len(c.holds))]}
	case n == 1:
		r.Type, r.By = schema.RecCancel, "person"
		r.Reason = &schema.Reason{Code: "cancelled", Text: "a person asked for it"}
		if w.one(2) {
			r.Only = []int{o.items[w.rnd.IntN(len(o.items))]}
		}
	default:
		r.Type, r.By, r.Hold = schema.RecHeld, "person", schema.HoldPolicy
		r.Reason = &schema.Reason{Code: "asked", Text: "a person asked for it"}
	}
	p.write(r)
}

// command asks a worker for what meddle writes itself.
func (p *person) command(owned map[int64]owned, plans []int64) {
	w := p.w
	c := schema.Command{By: "person", At: time.Now().UTC(), Reason: "asked"}
	switch w.rnd.IntN(8) {
	case 6:
		// Of payouts that nobody has asked for yet, or some have.
		c.Kind, c.Imports = schema.CmdImport, []schema.Import{{PayoutID: p.sh.ids[w.rnd.IntN(len(p.sh.ids))]}}
	case 7:
		p.open()
		return
	case 0:
		c.Kind, c.Merchant = schema.CmdPause, choose(w.rnd, "", "default", "another")
	case 1, 2:
		c.Kind, c.Merchant = schema.CmdUnpause, choose(w.rnd, "", "default", "another")
	default:
		if len(plans) == 0 {
			return
		}
		o := owned[plans[w.rnd.IntN(len(plans))]]
		c.Kind = choose(w.rnd, schema.CmdHold, schema.CmdResume, schema.CmdCancel, schema.CmdResolve)
		if c.Batch, c.Plan = o.batch, o.plan; c.Kind == schema.CmdCancel && w.one(2) {
			c.Batch, c.Plan, c.PayoutID = "", 0, o.ids[w.rnd.IntN(len(o.ids))]
		}
		if c.Kind == schema.CmdResolve {
			// A person's word is believed where iyzico does not contradict it, so
			// it must be true: of the attempt that it names, which may have ended
			// when the word is heard.
			seen := p.dead(o)
			if len(seen) == 0 {
				return
			}
			n := seen[w.rnd.IntN(len(seen))]
			c.Attempt, c.RequestID = n.Attempt, n.RequestID
			c.Verdict, c.Evidence = schema.VerdictDead, "iyzico's panel"
		}
	}
	p.ask(&c)
}

// ask writes a command.
func (p *person) ask(c *schema.Command) {
	value, err := schema.EncodeCommand(c)
	if err != nil {
		panic(err)
	}
	at, _ := p.sh.commands.Append(context.Background(), schema.Message{Value: value})
	p.w.trace.add("person", fmt.Sprintf("shard %d: command at %d", p.sh.n, at[0]), "", value)
}

// open lets a closed shard pay, once.
func (p *person) open() {
	if p.w.p.closed && !p.opened {
		p.opened = true
		p.ask(&schema.Command{Kind: schema.CmdOpen, By: "person", At: time.Now().UTC(), Reason: "what was paid is imported"})
	}
}

// dead lists the batch's created records whose requestId is cancelled at iyzico to
// the last item.
func (p *person) dead(o owned) []note {
	var all []note
	c := p.read().batches[o.plan]
	if c == nil {
		return nil
	}
	for _, b := range p.w.provider.Books().Batches {
		for _, n := range c.created {
			if n.RequestID == b.RequestID && dead(b) {
				all = append(all, n)
			}
		}
	}
	return all
}

// dead is proof of death as the books have it.
func dead(b iyzicotest.BatchEntry) bool {
	return b.Status == iyzicotest.BatchCanceled && b.Items[iyzicotest.ItemCanceled] > 0 && len(b.Items)-min(1, b.Items[iyzicotest.ItemInvalid]) == 1
}

// obeyed reports whether every command of the shard has left a record.
func (p *person) obeyed() bool {
	_, end, _ := p.sh.commands.Bounds(context.Background())
	left := map[int64]bool{}
	chunk, _ := p.sh.journal.Read(context.Background(), 0)
	for _, e := range chunk.Entries {
		var r struct{ Command int64 }
		if err := json.Unmarshal(e.Value, &r); err == nil && r.Command > 0 {
			left[r.Command-1] = true
		}
	}
	return int64(len(left)) == end
}

// panelCancel cancels a batch in iyzico's panel, which the journal cannot know.
func (p *person) panelCancel() {
	batches := p.w.provider.Books().Batches
	if len(batches) == 0 {
		return
	}
	p.cancelAtIyzico(batches[p.w.rnd.IntN(len(batches))].RequestID)
}

func (p *person) cancelAtIyzico(requestID string) {
	a := p.w.provider.Cancel(apiKey, requestID)
	p.w.trace.add("person", "cancels in iyzico's panel "+requestID, a.Code, nil)
}

// resolve answers, after the storm, what needs a person. Those that stay
// unanswered whatever he does are cancelled in the end.
func (p *person) resolve() {
	p.open()
	st := p.read()
	if len(st.pauses) > 0 {
		p.write(schema.Record{Type: schema.RecResumed, Which: st.pauses})
	}
	if p.rounds == nil {
		p.rounds = map[int64]int{}
	}
	truth := map[string]iyzicotest.BatchEntry{}
	for _, b := range p.w.provider.Books().Batches {
		truth[b.RequestID] = b
	}
	answered := p.w.answered()
	owned := p.w.ownership(p.sh)
	for _, plan := range slices.Sorted(maps.Keys(owned)) {
		o := owned[plan]
		if !slices.ContainsFunc(o.ids, func(id string) bool { return !answered[id] }) {
			continue
		}
		if p.rounds[plan]++; p.w.p.settings.Balance != nil {
			p.fill()
		}
		c := st.batches[plan]
		if c == nil {
			c = &chapter{}
		}
		p.attend(o, c, truth)
	}
}

func (p *person) fill() {
	p.w.provider.Deposit(apiKey, 100_000_000)
	p.w.trace.add("person", "fills the balance", "", nil)
}

// attend does what a person can about one unanswered batch.
func (p *person) attend(o owned, c *chapter, truth map[string]iyzicotest.BatchEntry) {
	round := p.rounds[o.plan]
	for _, n := range c.created {
		b, known := truth[n.RequestID]
		if !known {
			continue
		}
		if b.Status == iyzicotest.BatchInsufficientBalance {
			p.fill()
			if !p.w.p.settings.ResumeWhenFunded {
				p.cancelAtIyzico(n.RequestID)
			}
		}
		if last := c.created[len(c.created)-1]; c.unknown && n.Attempt < last.Attempt && dead(b) {
			// A word that was true when it was asked for, and comes late.
			p.ask(&schema.Command{
				Kind: schema.CmdResolve, Batch: o.batch, Plan: o.plan, Attempt: n.Attempt, RequestID: n.RequestID,
				Verdict: schema.VerdictDead, Evidence: "iyzico's panel", By: "person", At: time.Now().UTC(),
			})
		}
		if round < 2 {
			continue
		}
		if c.unknown && p.w.provider.Withdraw(n.RequestID) {
			p.w.trace.add("person", "has iyzico cancel what expired: "+n.RequestID, "", nil)
			continue // what iyzico shows from now on is proof
		}
		r := schema.Record{
			Type: schema.RecDecided, Batch: o.batch, Plan: o.plan, Attempt: n.Attempt, RequestID: n.RequestID, By: "person",
			Reason: &schema.Reason{Code: "decided", Text: "as iyzico's panel shows"},
		}
		switch {
		case dead(b):
			r.Verdict = schema.VerdictDead
		case b.Status == iyzicotest.BatchCanceled, b.Status == iyzicotest.BatchInit, b.Status == iyzicotest.BatchInsufficientBalance:
			continue
		default:
			r.Verdict = schema.VerdictTook
		}
		p.write(r)
	}
	switch {
	case round > 8, round > 4 && len(c.holds) > 0:
		p.write(schema.Record{Type: schema.RecCancel, Batch: o.batch, Plan: o.plan, By: "person", Reason: &schema.Reason{Code: "cancelled"}})
		if len(c.holds) > 0 && round%2 == 0 {
			p.write(schema.Record{Type: schema.RecResumed, Batch: o.batch, Plan: o.plan, Which: c.holds})
		}
	case len(c.holds) > 0:
		p.write(schema.Record{Type: schema.RecResumed, Batch: o.batch, Plan: o.plan, Which: c.holds})
	}
}
