package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

var errLost = errors.New("no answer came")

func lost(bool) error { return errLost }

// simLog is a worker.Log at the gate.
type simLog struct {
	w    *world
	s    *session
	log  *workertest.Log
	name string
}

func (l simLog) call(ctx context.Context, op, detail string) *call {
	return &call{s: l.s, class: reads, op: l.name + "." + op, detail: detail, ctx: ctx, lost: lost}
}

func (l simLog) Bounds(ctx context.Context) (start, end int64, err error) {
	end, err = through(l.w, l.call(ctx, "bounds", ""), func() (int64, error) { return l.end(), nil })
	return 0, end, err
}

func (l simLog) end() int64 {
	_, end, _ := l.log.Bounds(context.Background())
	return end
}

func (l simLog) Read(ctx context.Context, from int64) (worker.Chunk, error) {
	c := l.call(ctx, "read", strconv.FormatInt(from, 10))
	c.idle = func() bool { return l.end() == from }
	chunk, err := through(l.w, c, func() (worker.Chunk, error) {
		chunk, err := l.log.Read(context.Background(), from)
		if n := len(chunk.Entries); n > 1 && l.w.one(3) {
			chunk.Entries = chunk.Entries[:1+l.w.rnd.IntN(n)]
			chunk.Next = chunk.Entries[len(chunk.Entries)-1].Offset + 1
		}
		return chunk, err
	})
	l.w.gate.hasRead(l.s, chunk.Entries)
	return chunk, err
}

func (l simLog) ReadAt(ctx context.Context, offset int64) (worker.Entry, error) {
	return through(l.w, l.call(ctx, "at", strconv.FormatInt(offset, 10)), func() (worker.Entry, error) {
		return l.log.ReadAt(context.Background(), offset)
	})
}

func (l simLog) Append(ctx context.Context, messages ...schema.Message) ([]int64, error) {
	c := l.call(ctx, "append", string(messages[0].Key))
	c.class, c.late, c.twice = appends, true, true
	for _, m := range messages {
		c.value = append(c.value, m.Value...)
	}
	return through(l.w, c, func() ([]int64, error) {
		if l.name == "journal" {
			l.w.wrote = c
		}
		return l.log.Append(context.Background(), messages...)
	})
}

// A topic keeps public events, in the order they were written.
type topic struct{ messages []schema.Message }

// simTopic is a worker.Publisher at the gate.
type simTopic struct {
	w    *world
	s    *session
	to   *topic
	name string
	kind class
}

// as is the topic with other odds.
func (t simTopic) as(kind class) simTopic {
	t.kind = kind
	return t
}

func (t simTopic) Publish(ctx context.Context, messages []schema.Message) error {
	c := &call{s: t.s, class: t.kind, op: t.name, ctx: ctx, lost: lost, late: true, twice: true}
	for _, m := range messages {
		c.value = append(c.value, m.Value...)
	}
	kept := workertest.Copy(messages)
	c.effect = func() error {
		t.to.messages = append(t.to.messages, kept...)
		return nil
	}
	return t.w.gate.pass(c)
}

func (t simTopic) Original(context.Context, schema.Source) (schema.Message, error) {
	return schema.Message{Value: []byte("as it came")}, nil
}

// simClaims are worker.Claims at the gate.
type simClaims struct {
	w      *world
	s      *session
	claims *workertest.Claims
}

func (k simClaims) call(ctx context.Context, op, detail string) *call {
	return &call{s: k.s, class: claims, op: "claims." + op, detail: detail, ctx: ctx, lost: lost}
}

func (k simClaims) State(ctx context.Context, shard int) (worker.ClaimsState, error) {
	return through(k.w, k.call(ctx, "state", ""), func() (worker.ClaimsState, error) {
		return k.claims.State(context.Background(), shard)
	})
}

func (k simClaims) Begin(ctx context.Context, shard int, logID, epoch string) error {
	c := k.call(ctx, "begin", epoch)
	c.late = true
	c.effect = func() error { return k.claims.Begin(context.Background(), shard, logID, epoch) }
	return k.w.gate.pass(c)
}

func (k simClaims) Fold(ctx context.Context, f worker.Fold) ([]worker.Owner, error) {
	c := k.call(ctx, "fold", fmt.Sprintf("%d after %d, epoch %s", f.Offset, f.Predecessor, f.Epoch))
	c.late = true
	return through(k.w, c, func() ([]worker.Owner, error) { return k.claims.Fold(context.Background(), f) })
}

func (k simClaims) Condemn(ctx context.Context, shard int, epoch string) error {
	c := k.call(ctx, "condemn", epoch)
	c.late = true
	c.effect = func() error { return k.claims.Condemn(context.Background(), shard, epoch) }
	return k.w.gate.pass(c)
}

func (k simClaims) Lookup(ctx context.Context, shard int, epoch string, to int64, ids []string) ([]worker.Owner, error) {
	c := k.call(ctx, "lookup", fmt.Sprintf("through %d, epoch %s", to, epoch))
	return through(k.w, c, func() ([]worker.Owner, error) {
		return k.claims.Lookup(context.Background(), shard, epoch, to, ids)
	})
}
