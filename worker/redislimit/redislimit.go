package redislimit

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/worker"
)

var (
	//go:embed rate.lua
	rateLua string
	//go:embed reserve.lua
	reserveLua string

	rateScript    = redis.NewScript(rateLua)
	reserveScript = redis.NewScript(reserveLua)
)

// A Store is what workers share in one Redis. It is safe for concurrent use.
type Store struct {
	rdb    redis.UniversalClient
	prefix string
}

var _ worker.Reserves = (*Store)(nil)

// New returns a Store whose keys begin with prefix, beside the claims with the
// same. The caller closes rdb.
func New(rdb redis.UniversalClient, prefix string) *Store { return &Store{rdb, prefix} }

// Rate takes the merchant's next call, of so many a minute, and returns how long
// to wait until it may be made. A second's worth may come at once. After an error
// the call may be taken.
func (s *Store) Rate(ctx context.Context, merchant string, perMinute int) (time.Duration, error) {
	interval := time.Minute / time.Duration(perMinute)
	early := max(0, time.Second-interval)
	micros, err := rateScript.Run(ctx, s.rdb, []string{s.prefix + ":rate:" + merchant}, interval.Microseconds(), early.Microseconds()).Int64()
	return time.Duration(micros) * time.Microsecond, err
}

// Others implements [worker.Reserves].
func (s *Store) Others(ctx context.Context, r worker.Reserve) (int64, error) {
	_, others, err := s.reserve(ctx, r, -1, 0)
	return others, err
}

// Take implements [worker.Reserves].
func (s *Store) Take(ctx context.Context, r worker.Reserve, available, least int64) (taken bool, others int64, err error) {
	return s.reserve(ctx, r, max(0, available), least)
}

func (s *Store) reserve(ctx context.Context, r worker.Reserve, available, least int64) (taken bool, others int64, err error) {
	answer, err := reserveScript.Run(ctx, s.rdb, []string{s.key(r)}, r.Batch, r.Minor, available, least, r.For.Milliseconds()).Slice()
	if err != nil {
		return false, 0, err
	}
	if len(answer) == 2 {
		n, isNumber := answer[0].(int64)
		text, isText := answer[1].(string)
		if others, err = strconv.ParseInt(text, 10, 64); isNumber && isText && err == nil {
			return n == 1, others, nil
		}
	}
	return false, 0, errors.New("redis: a script's answer has an unknown shape")
}

// Release implements [worker.Reserves].
func (s *Store) Release(ctx context.Context, r worker.Reserve) error {
	return s.rdb.HDel(ctx, s.key(r), r.Batch).Err()
}

func (s *Store) key(r worker.Reserve) string {
	return fmt.Sprintf("%s:reserve:%s:%s", s.prefix, r.Merchant, r.Currency)
}
