package redisclaim

import (
	"context"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/worker"
)

// A standing is what stands for a shard beside its buckets.
type standing struct {
	gen        string
	watermark  int64
	claims     int64
	low, split int64
}

// buckets is how many there are.
func (s *standing) buckets() int64 { return s.low + s.split }

// bucketOf is the bucket of an id.
func (s *standing) bucketOf(id digest) int64 { return bucketOf(id.hash(), s.low, s.split) }

// numbersOf are the buckets of all ids.
func (s *standing) numbersOf(ids []digest) []int64 {
	numbers := make([]int64, len(ids), len(ids)+len(ids)/meanLoad+1)
	for i, id := range ids {
		numbers[i] = s.bucketOf(id)
	}
	return numbers
}

// fields are what readStanding needs of the meta key.
var fields = []string{"epoch", "v", "gen", "wm", "n", "low", "split"}

// readStanding reads the fields of the meta key, under the epoch that must stand.
func readStanding(values []any, epoch string) (standing, error) {
	text := make([]string, len(values))
	for i, v := range values {
		text[i], _ = v.(string)
	}
	if values[0] == nil || text[0] != epoch {
		return standing{}, worker.ErrClaimsLost
	}
	s := standing{gen: text[2]}
	for i, number := range []*int64{&s.watermark, &s.claims, &s.low, &s.split} {
		var err error
		if *number, err = strconv.ParseInt(text[3+i], 10, 64); err != nil {
			return standing{}, worker.ErrClaimsCorrupt
		}
	}
	if text[1] != layout || s.gen == "" || s.low < 1 || s.split < 0 || s.split >= s.low ||
		s.claims < 0 || s.claims > meanLoad*s.buckets() { // buckets are split in time
		return standing{}, worker.ErrClaimsCorrupt
	}
	return s, nil
}

// A view is what stood for a shard at one moment, as far as it was asked for, and
// what is to be made of it.
type view struct {
	standing
	buckets map[int64]*bucket
}

// name makes the view's buckets of these numbers, not read yet, and returns their keys.
func (v *view) name(meta string, numbers []int64) []string {
	keys, named := make([]string, len(numbers)), make([]bucket, len(numbers))
	var text []byte
	for i, n := range numbers {
		text = append(text[:0], meta...)
		text = append(text, ':')
		text = append(text, v.gen...)
		text = append(text, ':')
		named[i].key = string(strconv.AppendInt(text, n, 10))
		keys[i], v.buckets[n] = named[i].key, &named[i]
	}
	return keys
}

// A want names, by what stands, the buckets to be read, any number of times, and
// those that must not be there yet.
type want func(*standing) (there, yet []int64)

// view reads in one step what stands for the shard under epoch, and the buckets that
// are wanted. It guesses by what stood last which these are, so that one round trip
// is enough as long as nobody else has split one of them since.
func (s *Store) view(ctx context.Context, shard int, epoch string, wanted want) (*view, error) {
	meta := s.meta(shard)
	asked := func(now *standing) (there, yet []int64) {
		there, yet = wanted(now)
		slices.Sort(there)
		return slices.Compact(there), yet
	}
	for guess := s.lastSeen(shard); ; {
		var there, yet []int64
		if guess.gen != "" {
			there, yet = asked(&guess)
		}
		v := &view{standing: guess, buckets: make(map[int64]*bucket, len(there)+len(yet))}
		keys, newKeys := v.name(meta, there), v.name(meta, yet)
		var state, contents *redis.SliceCmd
		var inTheWay *redis.IntCmd
		_, err := s.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			state = p.HMGet(ctx, meta, fields...)
			if len(keys) > 0 {
				contents = p.MGet(ctx, keys...)
			}
			if len(newKeys) > 0 {
				inTheWay = p.Exists(ctx, newKeys...)
			}
			return nil
		})
		if err != nil {
			return nil, explain(err)
		}
		if v.standing, err = readStanding(state.Val(), epoch); err != nil {
			return nil, err
		}
		s.see(shard, v.standing)
		if v.standing != guess {
			really, reallyYet := asked(&v.standing)
			if v.gen != guess.gen || !slices.Equal(there, really) || !slices.Equal(yet, reallyYet) {
				guess = v.standing
				continue
			}
		}
		if inTheWay != nil && inTheWay.Val() != 0 {
			return nil, worker.ErrClaimsCorrupt
		}
		if contents != nil {
			err = v.take(there, contents.Val())
		}
		return v, err
	}
}

// take verifies the buckets that were read.
func (v *view) take(numbers []int64, contents []any) error {
	for i, n := range numbers {
		content, ok := contents[i].(string) // nil where it is missing or of another type
		if !ok || !v.buckets[n].read(content, v.watermark) {
			return worker.ErrClaimsCorrupt
		}
	}
	return nil
}

// owners are those of the ids, none of them past limit.
func (v *view) owners(ids []digest, limit int64) ([]worker.Owner, error) {
	owners := make([]worker.Owner, len(ids))
	for i, id := range ids {
		owners[i] = v.buckets[v.bucketOf(id)].owner(id)
		if owners[i].Offset > limit {
			return nil, worker.ErrClaimsCorrupt
		}
	}
	return owners, nil
}

// lastSeen is what stood for the shard when it was last read; its gen is empty if
// that never was.
func (s *Store) lastSeen(shard int) standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[shard]
}

func (s *Store) see(shard int, now standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[shard] = now
}
