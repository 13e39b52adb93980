package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// In half of the worlds plans are written by planners that read requests: the
// consumer under the same faults.

const requestsTopic = "payout.requests"

// minorOf is what a payout id is worth.
func minorOf(id string) int64 {
	minor := int64(10_000)
	for _, c := range id {
		minor = minor*7%9973 + int64(c)
	}
	return minor + 100
}

// request writes a request for a payout that nobody has asked for yet, or for
// one that was asked for, now and then with other content, under another key or
// broken.
func (w *world) request(sh *shard) {
	partition, other, id := sh.n, false, ""
	if len(sh.unplanned) > 0 && !w.one(5) {
		id, sh.unplanned = sh.unplanned[0], sh.unplanned[1:]
	} else {
		id = sh.ids[w.rnd.IntN(len(sh.ids)-len(sh.unplanned)+1)%len(sh.ids)]
		other = w.one(3)
		sh.unplanned = slices.DeleteFunc(slices.Clone(sh.unplanned), func(u string) bool { return u == id })
	}
	if w.one(5) {
		partition = w.rnd.IntN(len(w.requests))
	}
	r := schema.Request{
		PayoutID: id, Merchant: "default", Purpose: "SETTLEMENT",
		Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "A B"},
		Amount:    schema.Amount{Minor: minorOf(id), Currency: schema.TRY},
	}
	if other {
		r.Amount.Minor++
	}
	m := schema.EncodeRequest(&r, "e"+strconv.Itoa(len(w.requests[partition])), time.Now())
	if w.one(20) {
		m.Value = m.Value[:len(m.Value)/2]
	}
	w.requests[partition] = append(w.requests[partition], m)
	if w.one(25) {
		c := schema.EncodeCancel(&schema.Cancel{PayoutID: id, Source: "/shop", ID: "c" + strconv.Itoa(len(w.requests[partition]))}, time.Now())
		w.requests[partition] = append(w.requests[partition], c)
		w.trace.add("shop", fmt.Sprintf("cancel of %s to %d/%d", id, partition, len(w.requests[partition])-1), "", c.Value)
	}
	w.trace.add("shop", fmt.Sprintf("request for %s to %d/%d", id, partition, len(w.requests[partition])-1), "", m.Value)
}

// startPlanner begins a generation of the consumer group at the offsets that
// were committed.
func (w *world) startPlanner() {
	s := &session{n: len(w.sessions), done: make(chan struct{})}
	w.sessions = append(w.sessions, s)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	logs := func(n int) (plans, journal worker.Log) {
		return simLog{w, s, w.shards[n].plans, "plans" + strconv.Itoa(n)}, simLog{w, s, w.shards[n].journal, "journal" + strconv.Itoa(n)}
	}
	k := worker.NewKnown(simClaims{w, s, w.claims}, logs, zerolog.Nop())
	k.Steady = true
	p := consumer.New(consumer.Config{
		Merchants:   w.policies(),
		Sampling:    consumer.Sampling{NewInRow: 2, OneIn: 3, Unasked: 12},
		CommitEvery: w.p.commitEvery, MaxItems: w.p.items, MaxWait: w.p.maxWait, Steady: true, StopTimeout: time.Second, Now: time.Now, Log: zerolog.Nop(),
	}, consumer.Ports{
		Known: known{k}, Plans: &planLogs{w: w, s: s, logs: logs}, Commands: withdrawals{w, s},
		DeadLetters: simTopic{w, s, &w.letters, "letters", letters}, Statuses: simTopic{w, s, &w.statuses, "statuses", publishes},
	})
	a := consumer.Assignment{Topic: requestsTopic, Committer: committer{w, s}, Floors: raiser{len(w.shards), logs}}
	for n := range w.requests {
		a.Partitions = append(a.Partitions, consumer.Partition{ID: n, From: w.committed[n], Reader: &requestReader{w, s, n, w.committed[n]}})
	}
	w.trace.add(s.name(), fmt.Sprintf("plans requests from %v", w.committed), "", nil)
	go func() {
		defer close(s.done)
		if readFloors(ctx, a.Partitions, len(w.shards), logs) {
			s.err = p.Run(ctx, a)
		}
	}()
	synctest.Wait()
}

// policies have a cut-off in a third of the runs: time begins at midnight.
func (w *world) policies() map[string]consumer.Policy {
	if w.p.opens == 0 {
		return nil
	}
	return map[string]consumer.Policy{"default": {MaxItems: w.p.items, MaxWait: w.p.maxWait, CutOff: w.cutOff()}}
}

func (w *world) cutOff() *consumer.CutOff {
	return &consumer.CutOff{Opens: w.p.opens, Closes: 23*60 + 59, Zone: time.UTC, Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}}
}

// readFloors fills in the floors as the journals have them, once all have begun.
// It is false when ctx ends before.
func readFloors(ctx context.Context, parts []consumer.Partition, shards int, logs func(int) (plans, journal worker.Log)) bool {
	for n := range shards {
		_, journal := logs(n)
		found, err := worker.ReadFloors(ctx, journal)
		for ; err != nil; found, err = worker.ReadFloors(ctx, journal) {
			select {
			case <-ctx.Done():
				return false
			case <-time.After(50 * time.Millisecond):
			}
		}
		for _, f := range found {
			parts[f.Partition].Floor, parts[f.Partition].Answered = f.Offset, f.Answered
		}
	}
	return true
}

// raiser is consumer.Floors.
type raiser struct {
	shards int
	logs   func(int) (plans, journal worker.Log)
}

func (r raiser) Raise(ctx context.Context, offsets map[int]int64) error {
	for _, n := range slices.Sorted(maps.Keys(offsets)) {
		_, journal := r.logs(worker.FloorShard(n, r.shards))
		if err := worker.RaiseFloors(ctx, journal, []schema.Floor{{Topic: requestsTopic, Partition: n, Offset: offsets[n]}}, time.Now); err != nil {
			return err
		}
	}
	return nil
}

// planners are the planners that are alive.
func (w *world) planners() []*session {
	var alive []*session
	for _, s := range w.sessions {
		if s.of == nil && !s.dead && !s.stopping && !s.ended() {
			alive = append(alive, s)
		}
	}
	return alive
}

type known struct{ of *worker.Known }

// Known implements [consumer.Known] as the program does.
func (k known) Known(ctx context.Context, shard int, ids []string) ([]consumer.Claim, error) {
	owners, err := k.of.Owners(ctx, shard, ids)
	return asClaims(owners), err
}

// Glance implements [consumer.Known].
func (k known) Glance(ctx context.Context, shard int, ids []string) ([]consumer.Claim, error) {
	owners, err := k.of.Glance(ctx, shard, ids)
	return asClaims(owners), err
}

func asClaims(owners []worker.Owner) []consumer.Claim {
	out := make([]consumer.Claim, len(owners))
	for i, o := range owners {
		out[i] = consumer.Claim{Owned: o.Offset != worker.None, Content: o.Content}
	}
	return out
}

// withdrawals is consumer.Commands.
type withdrawals struct {
	w *world
	s *session
}

func (c withdrawals) Append(ctx context.Context, shard int, command *schema.Command) error {
	value, err := schema.EncodeCommand(command)
	if err != nil {
		return err
	}
	_, err = simLog{c.w, c.s, c.w.shards[shard].commands, "commands" + strconv.Itoa(shard)}.Append(ctx, schema.Message{Key: []byte(command.PayoutID), Value: value})
	return err
}

// planLogs are consumer.Plans.
type planLogs struct {
	w    *world
	s    *session
	logs func(int) (plans, journal worker.Log)
}

func (p *planLogs) Shards() int { return len(p.w.shards) }

func (p *planLogs) Append(ctx context.Context, shard int, plan *schema.Plan) error {
	plans, _ := p.logs(shard)
	newID := func() string { return "log-" + strconv.Itoa(shard) }
	if _, err := worker.EnsurePlanGenesis(ctx, plans, len(p.w.shards), newID, time.Now, nil); err != nil {
		return err
	}
	value, err := schema.EncodePlan(plan)
	if err != nil {
		return err
	}
	_, err = plans.Append(ctx, schema.Message{Key: []byte(plan.ID), Value: value})
	return err
}

// requestReader is a consumer.Reader at the gate. It waits troubles out, so none
// show.
type requestReader struct {
	w         *world
	s         *session
	partition int
	next      int64
}

func (r *requestReader) Next(ctx context.Context) (consumer.Batch, error) {
	end := func() int64 { return int64(len(r.w.requests[r.partition])) }
	c := &call{s: r.s, class: sure, op: "requests.read", detail: fmt.Sprintf("%d/%d", r.partition, r.next), ctx: ctx, lost: lost}
	c.idle = func() bool { return end() == r.next }
	return through(r.w, c, func() (consumer.Batch, error) {
		b := consumer.Batch{End: end(), Next: r.next}
		for b.Next < b.End && (len(b.Records) == 0 || !r.w.one(4)) {
			b.Records = append(b.Records, consumer.Record{Message: r.w.requests[r.partition][b.Next], Offset: b.Next})
			b.Next++
		}
		r.next = b.Next
		return b, nil
	})
}

// committer is a consumer.Committer at the gate.
type committer struct {
	w *world
	s *session
}

func (k committer) Commit(ctx context.Context, offsets map[int]int64) error {
	c := &call{s: k.s, class: publishes, op: "commit", detail: fmt.Sprint(offsets), ctx: ctx, lost: lost, late: true}
	c.effect = func() error {
		for n, o := range offsets {
			k.w.committed[n] = o
		}
		return nil
	}
	return k.w.gate.pass(c)
}

// allPlanned reports whether every request is answered as far as the group's
// offsets tell.
func (w *world) allPlanned() bool {
	for n := range w.requests {
		if w.committed[n] < int64(len(w.requests[n])) {
			return false
		}
	}
	return true
}

// withdrawn reports whether a command cancels a payout.
func (w *world) withdrawn(id string) bool {
	for _, sh := range w.shards {
		chunk, _ := sh.commands.Read(context.Background(), 0)
		for _, e := range chunk.Entries {
			if c, err := schema.DecodeCommand(e.Value); err == nil && c.Kind == schema.CmdCancel && c.PayoutID == id {
				return true
			}
		}
	}
	return false
}

// judgeRequests looks for the answer of every request: a plan that owns its id,
// and a dead letter if that has other content, or if it is no request. A cancel
// is a command or a dead letter.
func (w *world) judgeRequests() {
	minors := map[string]int64{}
	for _, sh := range w.shards {
		for _, o := range w.ownership(sh) {
			for i, id := range o.ids {
				if _, twice := minors[id]; twice {
					w.trace.violate("%s is owned in two shards", id)
				}
				minors[id] = o.minor[i]
			}
		}
	}
	for id := range w.imported() {
		if _, planned := minors[id]; !planned {
			minors[id] = anything
		}
	}
	aside := w.sources()
	for _, m := range w.letters.messages {
		if code, _ := m.Get(schema.HeaderReasonCode); code == schema.CodeBelowFloor {
			// Every plan here can be read, so what was committed is known or has its letter.
			w.trace.violate("a request that was answered before is put aside as one below the floor: %s", m.Key)
		}
	}
	for n := range w.requests {
		for offset, m := range w.requests[n] {
			var r struct {
				PayoutID string
				Amount   struct{ Value string }
			}
			place := fmt.Sprintf("%d/%d/", n, offset)
			if schema.IsCancel(m) {
				if !aside[place] && !w.withdrawn(string(m.Key)) {
					w.trace.violate("the cancel of %s at %s is in no command and no dead letter", m.Key, place)
				}
				continue
			}
			if json.Unmarshal(m.Value, &r) != nil {
				if !aside[place] {
					w.trace.violate("the broken request at %s is in no dead letter", place)
				}
				continue
			}
			minor, planned := minors[r.PayoutID]
			switch {
			case !planned:
				w.trace.violate("LOST: %s, requested at %s, is in no plan", r.PayoutID, place)
			case minor != anything && r.Amount.Value != fmt.Sprintf("%d.%02d", minor/100, minor%100) && !aside[place]:
				w.trace.violate("the conflict of %s at %s is in no dead letter", r.PayoutID, place)
			}
		}
	}
}
