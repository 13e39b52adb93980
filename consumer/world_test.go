package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
)

const requestsTopic = "payout.requests"

// errFault is what a port says that was told to fail.
var errFault = errors.New("the connection was cut")

// world is everything around a planner, in memory. It may be told to fail, also
// after the deed is done.
type world struct {
	shards int
	batch  int // records that a reader gives at once; 0: all there are

	// fault decides the fate of an operation: "append", "command", "publish",
	// "commit" or "known". Nil: all goes well.
	fault func(op string) (apply bool, err error)

	seal *testSeal // nil: nothing is sealed

	mu         sync.Mutex
	requests   [][]schema.Message // by partition
	plans      [][]*schema.Plan   // by shard
	commands   [][]schema.Command // by shard
	dead       []schema.Message
	statuses   []schema.Message
	stored     map[int]int64
	floors     map[int]int64
	commits    int
	asked      int                         // ids that Known was asked for
	glanced    int                         // ids that Glance was
	away       error                       // what Glance fails with
	checkpoint func(offsets map[int]int64) // called under mu with every commit that lands
}

func newWorld(partitions, shards int) *world {
	return &world{
		shards: shards, requests: make([][]schema.Message, partitions), plans: make([][]*schema.Plan, shards), commands: make([][]schema.Command, shards),
		stored: make(map[int]int64), floors: make(map[int]int64),
	}
}

func (w *world) write(partition int, messages ...schema.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests[partition] = append(w.requests[partition], messages...)
}

// happens asks fault, and does the deed if it is to land.
func (w *world) happens(ctx context.Context, op string, deed func()) error {
	apply, err := true, error(nil)
	if w.fault != nil {
		apply, err = w.fault(op)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if apply {
		w.mu.Lock()
		defer w.mu.Unlock()
		deed()
	}
	return err
}

func (w *world) Shards() int { return w.shards }

func (w *world) Append(ctx context.Context, shard int, plan *schema.Plan) error {
	value, err := schema.EncodePlan(plan)
	if err != nil {
		return err
	}
	rec, err := schema.DecodePlan(value)
	if err != nil {
		return err
	}
	return w.happens(ctx, "append", func() { w.plans[shard] = append(w.plans[shard], rec.Plan) })
}

func (w *world) Known(ctx context.Context, shard int, ids []string) ([]consumer.Claim, error) {
	var claims []consumer.Claim
	err := w.happens(ctx, "known", func() {
		w.asked += len(ids)
		claims = w.claims(shard, ids)
	})
	if err != nil {
		return nil, err
	}
	return claims, nil
}

func (w *world) Glance(_ context.Context, shard int, ids []string) ([]consumer.Claim, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.glanced += len(ids)
	return w.claims(shard, ids), w.away
}

// claims says who owns ids. It is called under mu.
func (w *world) claims(shard int, ids []string) []consumer.Claim {
	claims, owners := make([]consumer.Claim, len(ids)), w.owners(shard)
	for i, id := range ids {
		if content, owned := owners[id]; owned {
			claims[i] = consumer.Claim{Owned: true, Content: content}
		}
	}
	return claims
}

// owners folds a shard's plans, as the worker does. It is called under mu.
func (w *world) owners(shard int) map[string]schema.Digest {
	owners := make(map[string]schema.Digest)
	for _, p := range w.plans[shard] {
		for i := range p.Items {
			q := p.Request(i)
			if _, owned := owners[q.PayoutID]; !owned {
				owners[q.PayoutID] = p.Content(i)
			}
		}
	}
	return owners
}

// commands is payout.commands of a world.
type commands struct{ world *world }

func (c commands) Append(ctx context.Context, shard int, command *schema.Command) error {
	if _, err := schema.EncodeCommand(command); err != nil {
		return err
	}
	return c.world.happens(ctx, "command", func() { c.world.commands[shard] = append(c.world.commands[shard], *command) })
}

// topic is one of the two topics that events go to.
type topic struct {
	world *world
	log   *[]schema.Message
}

func (p topic) Publish(ctx context.Context, messages []schema.Message) error {
	return p.world.happens(ctx, "publish", func() { *p.log = append(*p.log, messages...) })
}

func (w *world) Commit(ctx context.Context, offsets map[int]int64) error {
	return w.happens(ctx, "commit", func() {
		if w.checkpoint != nil {
			w.checkpoint(offsets)
		}
		for id, offset := range offsets {
			if offset > w.floors[id] {
				panic(fmt.Sprintf("partition %d: a commit of %d above its floor %d", id, offset, w.floors[id]))
			}
		}
		maps.Copy(w.stored, offsets)
		w.commits++
	})
}

// Raise implements [consumer.Floors].
func (w *world) Raise(ctx context.Context, offsets map[int]int64) error {
	return w.happens(ctx, "raise", func() {
		for id, offset := range offsets {
			w.floors[id] = max(w.floors[id], offset)
		}
	})
}

func (w *world) ports() consumer.Ports {
	p := consumer.Ports{Known: w, Plans: w, Commands: commands{w}, DeadLetters: topic{w, &w.dead}, Statuses: topic{w, &w.statuses}}
	if w.seal != nil {
		p.Seal = w.seal
	}
	return p
}

// reader reads a partition of a world.
type reader struct {
	world     *world
	partition int
	next      int64
}

func (r *reader) Next(ctx context.Context) (consumer.Batch, error) {
	b := r.read()
	if len(b.Records) == 0 {
		timer := time.NewTimer(500 * time.Millisecond)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return consumer.Batch{}, ctx.Err()
		}
	}
	return b, nil
}

func (r *reader) read() consumer.Batch {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	all := r.world.requests[r.partition]
	b := consumer.Batch{Next: r.next, End: int64(len(all))}
	for ; b.Next < b.End && (r.world.batch == 0 || len(b.Records) < r.world.batch); b.Next++ {
		b.Records = append(b.Records, consumer.Record{Message: all[b.Next], Offset: b.Next})
	}
	r.next = b.Next
	return b
}

// assignment gives all partitions, from where they were left.
func (w *world) assignment() consumer.Assignment {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := consumer.Assignment{Topic: requestsTopic, Committer: w, Floors: w}
	for id := range w.requests {
		from := w.stored[id]
		a.Partitions = append(a.Partitions, consumer.Partition{ID: id, From: from, Floor: w.floors[id], Answered: w.floors[id], Reader: &reader{w, id, from}})
	}
	return a
}

// run plans for some time and then stops as a program does.
func (w *world) run(t *testing.T, cfg consumer.Config, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := consumer.New(cfg, w.ports()).Run(ctx, w.assignment()); err != nil {
		t.Errorf("the run ended with %v", err)
	}
}

// planned lists the ids of each plan, shard by shard.
func (w *world) planned() [][]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out [][]string
	for _, p := range slices.Concat(w.plans...) {
		var ids []string
		for _, it := range p.Items {
			ids = append(ids, it.PayoutID)
		}
		out = append(out, ids)
	}
	return out
}

// offsets returns what is committed.
func (w *world) offsets() map[int]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.stored)
}

// log returns the plans of the first shard.
func (w *world) log() []*schema.Plan {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.plans[0])
}

// events returns the events that were published.
func (w *world) events() []schema.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.statuses)
}

// letters lists the dead letters as code and source.
func (w *world) letters() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, m := range w.dead {
		code, _ := m.Get(schema.HeaderReasonCode)
		out = append(out, code+" "+sourceOf(m))
	}
	return out
}

func sourceOf(m schema.Message) string {
	partition, _ := m.Get(schema.HeaderPartition)
	offset, _ := m.Get(schema.HeaderOffset)
	return partition + "/" + offset
}

// request is a valid request; lira is its whole amount.
func request(id string, lira int) schema.Message { return requestOf(id, "default", lira) }

func requestOf(id, merchant string, lira int) schema.Message {
	return schema.EncodeRequest(&schema.Request{
		PayoutID: id, Merchant: merchant, Purpose: "SETTLEMENT",
		Recipient: schema.Recipient{Type: schema.MemberID, Value: "1001", Name: "Ayşe Yılmaz"},
		Amount:    schema.Amount{Minor: int64(lira) * 100, Currency: schema.TRY},
	}, "event-of-"+id, time.Unix(0, 0))
}

// requests makes n requests, id-from and on, of ten lira each.
func requests(from, n int) []schema.Message {
	out := make([]schema.Message, n)
	for i := range out {
		out[i] = request("id-"+strconv.Itoa(from+i), 10)
	}
	return out
}

func ids(from, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("id-%d", from+i)
	}
	return out
}
