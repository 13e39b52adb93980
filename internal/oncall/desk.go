package oncall

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A Desk is what somebody on call has before them: the logs of every shard and
// the claims. It holds no state and is safe for concurrent use.
type Desk struct {
	Logs   func(shard int) Logs
	Claims worker.Claims
	Shards int
	Now    func() time.Time
	// Kafka, Topics and GroupOf are for what is about the topics themselves: status
	// and dead letters. GroupOf is the consumers' group on a topic of requests.
	Kafka   *kafkaio.Client
	Topics  config.Topics
	GroupOf func(topic string) string
	// OffsetsOf returns the ends of the partitions of a topic that may be none of
	// Topics.
	OffsetsOf func(ctx context.Context, topic string) (map[int]kafkaio.Offsets, error)
	// Seal has the keys that plans and dead letters are sealed with. Nil: none, and
	// what is sealed stays so.
	Seal *seal.Keys
	// Configured reports whether a merchant is in the configuration. Nil: all are.
	Configured func(merchant string) bool
	// Notes returns what the running processes tell of themselves, by their names;
	// see [Pulse]. It may be nil.
	Notes func(ctx context.Context) (map[string]string, error)
	// Patience is how long a command waits for a worker's answer. Defaults to 15 s.
	Patience time.Duration
}

// A ShardTrouble says why a shard's logs could not be read.
type ShardTrouble struct {
	Shard int    `json:"shard"`
	Text  string `json:"text"`
}

// Look observes every shard, all at once. Shards that cannot be read are named
// as troubles and the others seen all the same; the error is ctx's alone.
func (d *Desk) Look(ctx context.Context) ([]*worker.ShardView, []ShardTrouble, error) {
	found := make([]*worker.ShardView, d.Shards)
	errs := make([]error, d.Shards)
	var wait sync.WaitGroup
	for shard := range d.Shards {
		wait.Go(func() { found[shard], errs[shard] = d.observe(ctx, shard) })
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	var views []*worker.ShardView
	var troubles []ShardTrouble
	for shard, v := range found {
		if errs[shard] != nil {
			troubles = append(troubles, ShardTrouble{shard, errs[shard].Error()})
			continue
		}
		views = append(views, v)
	}
	return views, troubles, nil
}

func (d *Desk) observe(ctx context.Context, shard int) (*worker.ShardView, error) {
	logs := d.Logs(shard)
	return worker.Observe(ctx, shard, worker.ObservePorts{Plans: logs.Plans, Journal: logs.Journal, Claims: d.Claims})
}

// glance sees how a shard stands, without its batches. A journal with a record that
// nobody can read is told of as a trouble of the claims, whose epoch is not known then.
func (d *Desk) glance(ctx context.Context, shard int) (*worker.ShardView, error) {
	logs := d.Logs(shard)
	v, err := worker.Glance(ctx, shard, worker.ObservePorts{Plans: logs.Plans, Journal: logs.Journal, Claims: d.Claims})
	if err == nil || !errors.Is(err, schema.ErrRecord) && !errors.Is(err, schema.ErrVersion) {
		return v, err
	}
	v = &worker.ShardView{Shard: shard, Claims: worker.ClaimsState{Watermark: worker.None}, ClaimsTrouble: err.Error()}
	_, v.PlanEnd, err = logs.Plans.Bounds(ctx)
	return v, err
}

// open opens a plan if its key is there.
func (d *Desk) open(p *schema.Plan) { _ = d.Seal.OpenPlan(p) }
