package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// known asks the claims for the consumer.
type known struct{ claims *worker.Known }

// Known implements [consumer.Known].
func (k known) Known(ctx context.Context, shard int, ids []string) ([]consumer.Claim, error) {
	owners, err := k.claims.Owners(ctx, shard, ids)
	if err != nil {
		return nil, err
	}
	claims := make([]consumer.Claim, len(owners))
	for i, o := range owners {
		claims[i] = consumer.Claim{Owned: o.Offset != worker.None, Content: o.Content}
	}
	return claims, nil
}

// plans is payout.batches for the consumer, a log a shard.
type plans []worker.Log

// Shards implements [consumer.Plans].
func (p plans) Shards() int { return len(p) }

// Append implements [consumer.Plans].
func (p plans) Append(ctx context.Context, shard int, plan *schema.Plan) error {
	value, err := schema.EncodePlan(plan)
	if err != nil {
		return err
	}
	_, err = p[shard].Append(ctx, schema.Message{Key: []byte(plan.ID), Value: value})
	return err
}

// openPlans makes sure that every shard's plan log has its genesis, and returns
// the logs with an id that stands for all of them.
func (s *service) openPlans(ctx context.Context) (plans, string, error) {
	logs := make(plans, s.shards)
	sum := sha256.New()
	for shard := range logs {
		logs[shard], _ = s.logs(shard)
		g, err := worker.EnsurePlanGenesis(ctx, logs[shard], s.shards, newID, time.Now)
		if err != nil {
			return nil, "", err
		}
		sum.Write([]byte(g.LogID))
	}
	return logs, hex.EncodeToString(sum.Sum(nil)[:12]), nil
}
