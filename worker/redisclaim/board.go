package redisclaim

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Board is where processes pin up how they are doing, for people who ask. It
// decides nothing and may be wiped at any time. It is safe for concurrent use.
type Board struct {
	rdb redis.UniversalClient
	key string
}

// boardKept is how long the board stands when nobody pins anything up any more.
const boardKept = time.Minute

// NewBoard returns the board beside the claims with the same prefix.
func NewBoard(rdb redis.UniversalClient, prefix string) *Board {
	return &Board{rdb: rdb, key: prefix + ":board"}
}

// Clear takes everything down. Who is still there pins its note up again; so
// notes of processes that are gone do not pile up.
func (b *Board) Clear(ctx context.Context) error {
	if err := b.rdb.Del(ctx, b.key).Err(); err != nil {
		return explain(err)
	}
	return nil
}

// Pin puts a note up, instead of an earlier one of the same name.
func (b *Board) Pin(ctx context.Context, name string, note []byte) error {
	_, err := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, b.key, name, note)
		p.PExpire(ctx, b.key, boardKept)
		return nil
	})
	if err != nil {
		return explain(err)
	}
	return nil
}

// Notes returns what is pinned up, by name.
func (b *Board) Notes(ctx context.Context) (map[string]string, error) {
	notes, err := b.rdb.HGetAll(ctx, b.key).Result()
	if err != nil {
		return nil, explain(err)
	}
	return notes, nil
}
