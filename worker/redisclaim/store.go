package redisclaim

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

var (
	//go:embed buckets.lua
	bucketsLua string
	//go:embed fold.lua
	foldLua string
	//go:embed lookup.lua
	lookupLua string
	//go:embed begin.lua
	beginLua string
	//go:embed condemn.lua
	condemnLua string

	foldScript    = redis.NewScript(bucketsLua + foldLua)
	lookupScript  = redis.NewScript(bucketsLua + lookupLua)
	beginScript   = redis.NewScript(beginLua)
	condemnScript = redis.NewScript(condemnLua)
)

// What buckets.lua has too: the version of the layout, and sizes of what the
// scripts read and write.
const (
	layout     = "2"
	digestSize = 12                      // of a payout id
	offsetSize = 5                       // of a plan's offset
	valueSize  = offsetSize + digestSize // of a claim
	maxOffset  = 1<<(8*offsetSize) - 2   // the largest offset that a claim can hold; one above it is "nobody"
	nobody     = 1<<(8*offsetSize) - 1   // what lookup.lua answers for an id without an owner
	claimSize  = digestSize + valueSize  // of a claim with its id
)

var _ worker.Claims = (*Store)(nil)

// A Store is the claims of all shards in one Redis. It is safe for concurrent
// use, and any number of them may work on the same Redis.
type Store struct {
	rdb    redis.UniversalClient
	prefix string

	stop     context.Context // ends the sweeps, which outlive the calls that start them
	cancel   context.CancelFunc
	sweeping sync.WaitGroup
}

// New returns a Store whose keys begin with prefix. Two installations that
// share a Redis need different prefixes; braces in it would put all shards on
// one node of a cluster. The caller closes rdb, after [Store.Close].
func New(rdb redis.UniversalClient, prefix string) *Store {
	stop, cancel := context.WithCancel(context.Background())
	return &Store{rdb: rdb, prefix: prefix, stop: stop, cancel: cancel}
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

// Fold implements [worker.Claims]. Plans of any size work; one of 1000 items
// takes Redis some 10 ms, in which it serves nobody else.
func (s *Store) Fold(ctx context.Context, f worker.Fold) ([]worker.Owner, error) {
	if f.Predecessor < worker.None || f.Offset <= f.Predecessor || f.Offset > maxOffset {
		return nil, fmt.Errorf("fold of offset %d after %d: not an order of records", f.Offset, f.Predecessor)
	}
	seen := make(map[[digestSize]byte]struct{}, len(f.Items))
	owner := encodeOffset(f.Offset)
	claims := make([]byte, 0, len(f.Items)*claimSize)
	for _, it := range f.Items {
		id := digestOf(it.PayoutID)
		seen[id] = struct{}{}
		claims = append(claims, id[:]...)
		claims = append(claims, owner...)
		claims = append(claims, it.Content[:]...)
	}
	if len(seen) != len(f.Items) {
		return nil, fmt.Errorf("fold of offset %d: a payout id stands twice in one plan", f.Offset)
	}

	answer, err := foldScript.Run(ctx, s.rdb, []string{s.meta(f.Shard)},
		f.Epoch, f.Offset, f.Predecessor, claims).Slice()
	if err != nil {
		return nil, explain(err)
	}
	// Below the predecessor records are missing. Between the two, the log that
	// was folded is not the caller's.
	owners, err := decode(answer, len(f.Items), func(watermark int64) int64 {
		if watermark < f.Predecessor {
			return f.Predecessor
		}
		return f.Offset
	})
	for i := range owners {
		if owners[i].Offset == worker.None { // until now
			owners[i] = worker.Owner{Offset: f.Offset, Content: f.Items[i].Content}
		}
	}
	return owners, err
}

// Lookup implements [worker.Claims]. At most some 5,000 ids should be asked at
// a time: that takes Redis some 15 ms, in which it serves nobody else.
func (s *Store) Lookup(
	ctx context.Context, shard int, epoch string, through int64, ids []string,
) ([]worker.Owner, error) {
	digests := make([]byte, 0, len(ids)*digestSize)
	for _, id := range ids {
		d := digestOf(id)
		digests = append(digests, d[:]...)
	}
	answer, err := lookupScript.Run(ctx, s.rdb, []string{s.meta(shard)}, epoch, through, digests).Slice()
	if err != nil {
		return nil, explain(err)
	}
	return decode(answer, len(ids), func(int64) int64 { return through })
}

// meta is the key with the shard's state, and the beginning of its buckets' keys.
func (s *Store) meta(shard int) string {
	return fmt.Sprintf("%s:{%s-%d}", s.prefix, s.prefix, shard)
}

// digestOf is what stands for a payout id in Redis.
func digestOf(payoutID string) [digestSize]byte {
	sum := sha256.Sum256([]byte(payoutID))
	return [digestSize]byte(sum[:digestSize])
}

// decode reads the answer of fold.lua and lookup.lua for n ids. want tells, by
// the watermark that stands, which one was needed.
func decode(answer []any, n int, want func(watermark int64) int64) ([]worker.Owner, error) {
	var text [2]string
	for i := range min(len(answer), len(text)) {
		text[i], _ = answer[i].(string)
	}
	switch text[0] {
	case "OK":
		return decodeOwners(text[1], n)
	case "LOW":
		watermark, err := strconv.ParseInt(text[1], 10, 64)
		if err != nil {
			return nil, errAnswer
		}
		return nil, &worker.LowError{Watermark: watermark, Want: want(watermark)}
	case "LOST":
		return nil, worker.ErrClaimsLost
	case "CORRUPT":
		return nil, worker.ErrClaimsCorrupt
	default:
		return nil, errAnswer
	}
}

// errAnswer: the script that answered is not the one that was sent.
var errAnswer = errors.New("redis: a script's answer has an unknown shape")

func decodeOwners(values string, n int) ([]worker.Owner, error) {
	if len(values) != n*valueSize {
		return nil, errAnswer
	}
	owners := make([]worker.Owner, n)
	for i := range owners {
		value := values[i*valueSize:][:valueSize]
		offset := decodeOffset(value[:offsetSize])
		if offset == nobody {
			owners[i] = worker.Owner{Offset: worker.None}
			continue
		}
		owners[i] = worker.Owner{Offset: offset, Content: schema.Digest([]byte(value[offsetSize:]))}
	}
	return owners, nil
}

func encodeOffset(offset int64) []byte {
	b := make([]byte, offsetSize)
	for i := range b {
		b[i] = byte(offset >> (8 * (offsetSize - 1 - i)))
	}
	return b
}

func decodeOffset(b string) int64 {
	var offset int64
	for i := range len(b) {
		offset = offset<<8 | int64(b[i])
	}
	return offset
}
