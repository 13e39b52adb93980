package redisclaim

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"strconv"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/worker"
)

var (
	//go:embed begin.lua
	beginLua string
	//go:embed condemn.lua
	condemnLua string

	beginScript   = redis.NewScript(beginLua)
	condemnScript = redis.NewScript(condemnLua)
)

var _ worker.Claims = (*Store)(nil)

// A Store is the claims of all shards in one Redis. It is safe for concurrent
// use, and any number of them may work on the same Redis.
type Store struct {
	rdb    redis.UniversalClient
	prefix string

	mu   sync.Mutex
	last map[int]standing // guarded by mu: what stood for a shard when it was last read

	stop     context.Context // ends the sweeps, which outlive the calls that start them
	cancel   context.CancelFunc
	sweeping sync.WaitGroup
}

// New returns a Store whose keys begin with prefix. Two installations that
// share a Redis need different prefixes; braces in it would put all shards on
// one node of a cluster. The caller closes rdb, after [Store.Close].
func New(rdb redis.UniversalClient, prefix string) *Store {
	stop, cancel := context.WithCancel(context.Background())
	return &Store{rdb: rdb, prefix: prefix, last: map[int]standing{}, stop: stop, cancel: cancel}
}

// Close ends what is being removed in the background. What is left is removed
// after the next Begin. No other method may be called after it.
func (s *Store) Close() {
	s.cancel()
	s.sweeping.Wait()
}

// State implements [worker.Claims]. Claims in the layout of another version are
// told as those of another epoch, so that their worker fills them again.
func (s *Store) State(ctx context.Context, shard int) (worker.ClaimsState, error) {
	fields, err := s.rdb.HMGet(ctx, s.meta(shard), "epoch", "log", "wm", "n", "v").Result()
	if err != nil {
		return worker.ClaimsState{}, explain(err)
	}
	epoch, stands := fields[0].(string)
	if !stands {
		return worker.ClaimsState{}, worker.ErrClaimsLost
	}
	logID, ok := fields[1].(string)
	watermark, errWatermark := number(fields[2])
	count, errCount := number(fields[3])
	if !ok || errWatermark != nil || errCount != nil {
		return worker.ClaimsState{}, worker.ErrClaimsCorrupt
	}
	if version, _ := fields[4].(string); version != layout {
		epoch += " of layout " + version
	}
	return worker.ClaimsState{LogID: logID, Epoch: epoch, Watermark: watermark, Count: count}, nil
}

// number reads a field of a hash; one that is not there is no number.
func number(field any) (int64, error) {
	text, _ := field.(string)
	return strconv.ParseInt(text, 10, 64)
}

// Begin implements [worker.Claims]. The claims of the epoch before are removed
// in the background.
func (s *Store) Begin(ctx context.Context, shard int, logID, epoch string) error {
	// Bucket names must be new even if the epoch is not.
	done, err := beginScript.Run(ctx, s.rdb, []string{s.meta(shard)}, logID, epoch, rand.Text()[:8]).Int()
	if err != nil {
		return explain(err)
	}
	if done == 1 {
		// A failed sweep costs memory, never a claim; the next Begin sweeps again.
		s.sweeping.Go(func() { _, _ = s.Sweep(s.stop, shard) })
	}
	return nil
}

// Condemn implements [worker.Claims]. The buckets go with the next Begin.
func (s *Store) Condemn(ctx context.Context, shard int, epoch string) error {
	if err := condemnScript.Run(ctx, s.rdb, []string{s.meta(shard)}, epoch).Err(); err != nil {
		return explain(err)
	}
	return nil
}

// Lookup implements [worker.Claims]. At most some 5,000 ids should be asked at
// a time: that takes Redis some 4 ms, in which it serves nobody else.
func (s *Store) Lookup(
	ctx context.Context, shard int, epoch string, through int64, payoutIDs []string,
) ([]worker.Owner, error) {
	ids := make([]digest, len(payoutIDs))
	for i, id := range payoutIDs {
		ids[i] = digestOf(id)
	}
	return s.lookup(ctx, shard, epoch, through, ids)
}

func (s *Store) lookup(ctx context.Context, shard int, epoch string, through int64, ids []digest) ([]worker.Owner, error) {
	v, err := s.view(ctx, shard, epoch, func(now *standing) (there, yet []int64) { return now.numbersOf(ids), nil })
	switch {
	case err != nil:
		return nil, err
	case v.watermark < through:
		return nil, &worker.LowError{Watermark: v.watermark, Want: through}
	}
	return v.owners(ids, v.watermark)
}

// meta is the key with the shard's state, and the beginning of its buckets' keys.
func (s *Store) meta(shard int) string {
	return fmt.Sprintf("%s:{%s-%d}", s.prefix, s.prefix, shard)
}

// digestOf is what stands for a payout id in Redis.
func digestOf(payoutID string) digest {
	sum := sha256.Sum256([]byte(payoutID))
	return digest(sum[:digestSize])
}
