package redisclaim

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Remove removes every key of this Store's prefix: all claims of all shards, and
// what else begins with it. It is for what a measurement made under a prefix of
// its own; a real installation would fill its claims again from the log.
func (s *Store) Remove(ctx context.Context) error {
	return eachNode(ctx, s.rdb, func(ctx context.Context, node redis.UniversalClient) error {
		return scan(ctx, node, literal.Replace(s.prefix)+":*", func(keys []string) error {
			for _, key := range keys { // one by one: they may be of different slots
				if err := s.rdb.Unlink(ctx, key).Err(); err != nil {
					return explain(err)
				}
			}
			return nil
		})
	})
}

// Wipe empties the whole Redis, as one that has lost its data, for a measurement
// that has it for itself: if it holds a key that does not begin with this Store's
// prefix, nothing is removed and it fails.
func (s *Store) Wipe(ctx context.Context) error {
	err := eachNode(ctx, s.rdb, func(ctx context.Context, node redis.UniversalClient) error {
		return scan(ctx, node, "*", func(keys []string) error {
			for _, key := range keys {
				if !strings.HasPrefix(key, s.prefix+":") {
					return fmt.Errorf("redis holds the key %q beside those of %s: it is not emptied", key, s.prefix)
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return eachNode(ctx, s.rdb, func(ctx context.Context, node redis.UniversalClient) error {
		if err := node.FlushAll(ctx).Err(); err != nil {
			return explain(err)
		}
		return nil
	})
}
