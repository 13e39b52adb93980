package redisclaim

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

//go:embed sweep.lua
var sweepLua string

var sweepScript = redis.NewScript(sweepLua)

// sweepStep is how many keys of the whole Redis one step looks at: about a
// millisecond, after which others have their turn.
const sweepStep = 1000

// literal takes the meaning from the characters that a MATCH pattern gives one.
var literal = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// Sweep removes the buckets that earlier epochs of a shard left behind, and
// returns how many. [Store.Begin] has it done in the background. It walks over
// all keys in steps; to call it at any time, twice, or at once with a Begin is
// harmless: nothing of the epoch that stands is ever removed.
func (s *Store) Sweep(ctx context.Context, shard int) (int64, error) {
	var removed atomic.Int64 // nodes of a cluster are walked at once
	err := eachNode(ctx, s.rdb, func(ctx context.Context, node redis.UniversalClient) error {
		n, err := s.sweepNode(ctx, node, shard)
		removed.Add(n)
		return err
	})
	if err != nil {
		return removed.Load(), fmt.Errorf("removing old claims: %w", explain(err))
	}
	return removed.Load(), nil
}

func (s *Store) sweepNode(ctx context.Context, node redis.UniversalClient, shard int) (removed int64, err error) {
	meta := s.meta(shard)
	err = scan(ctx, node, literal.Replace(meta)+":*", func(keys []string) error {
		args := make([]any, len(keys))
		for i, k := range keys {
			args[i] = k
		}
		// Not to node: the shard's slot may have moved since.
		n, err := sweepScript.Run(ctx, s.rdb, []string{meta}, args...).Int64()
		removed += n
		return err
	})
	return removed, err
}

// scan walks over the keys of a node that match, some at a time. A key may come
// twice.
func scan(ctx context.Context, node redis.UniversalClient, match string, see func(keys []string) error) error {
	for cursor := uint64(0); ; {
		keys, next, err := node.Scan(ctx, cursor, match, sweepStep).Result()
		if err != nil {
			return explain(err)
		}
		if len(keys) > 0 {
			if err := see(keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// eachNode calls do for each node that holds keys of its own.
func eachNode(
	ctx context.Context, rdb redis.UniversalClient, do func(context.Context, redis.UniversalClient) error,
) error {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok {
		return do(ctx, rdb)
	}
	return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return do(ctx, node) })
}
