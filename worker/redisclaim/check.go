package redisclaim

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Check tells whether this Redis may hold claims, and how many keys it has
// evicted since it started. It fails if Redis cannot be reached or may evict
// keys: with any maxmemory-policy but noeviction it forgets owners to make
// room. To be called at start and every hour, since the policy can be changed
// while Redis runs; evicted keys of ours are found when they are asked for.
func (s *Store) Check(ctx context.Context) (evicted int64, err error) {
	var sum atomic.Int64 // nodes of a cluster are asked at once
	err = eachNode(ctx, s.rdb, func(ctx context.Context, node redis.UniversalClient) error {
		n, err := checkNode(ctx, node)
		sum.Add(n)
		return err
	})
	if err != nil {
		return sum.Load(), explain(err)
	}
	return sum.Load(), nil
}

// checkNode asks by INFO: CONFIG is often forbidden where others run Redis.
// A server whose INFO has no policy has no eviction (miniredis).
func checkNode(ctx context.Context, node redis.UniversalClient) (evicted int64, err error) {
	info, err := node.Info(ctx).Result()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "maxmemory_policy":
			if value != "noeviction" {
				err = fmt.Errorf("redis: maxmemory-policy is %s: it must be noeviction, or claims may be forgotten", value)
			}
		case "evicted_keys":
			evicted, _ = strconv.ParseInt(value, 10, 64) // for a metric only
		}
	}
	return evicted, err
}
