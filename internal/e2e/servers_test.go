//go:build integration

package e2e_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/segmentio/kafka-go"
)

// redisDo sends one command to Redis itself, past the proxy.
func (w *world) redisDo(args ...any) any {
	w.t.Helper()
	return w.redisDoAs("", args...)
}

// redisDoAs is redisDo with a password.
func (w *world) redisDoAs(password string, args ...any) any {
	w.t.Helper()
	c := redis.NewClient(&redis.Options{Addr: w.redis.Addr, Password: password, MaxRetries: -1})
	defer c.Close()
	answer, err := c.Do(w.t.Context(), args...).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		w.t.Fatalf("redis %v: %v", args, err)
	}
	return answer
}

// copyRedis stops Redis, copies its data to a directory that it names, and
// starts it again.
func (w *world) copyRedis() string {
	w.t.Helper()
	old := filepath.Join(w.dir, "redis-old")
	w.whileRedisIsDown(func() error {
		if err := os.RemoveAll(old); err != nil {
			return err
		}
		return os.CopyFS(old, os.DirFS(filepath.Join(w.redis.Dir, "appendonlydir")))
	})
	return old
}

// restoreRedis has Redis go on with data that was copied before; with none if
// old is "".
func (w *world) restoreRedis(old string) {
	w.t.Helper()
	w.whileRedisIsDown(func() error {
		now := filepath.Join(w.redis.Dir, "appendonlydir")
		if err := os.RemoveAll(now); err != nil || old == "" {
			return err
		}
		return os.CopyFS(now, os.DirFS(old))
	})
}

func (w *world) whileRedisIsDown(f func() error) {
	w.t.Helper()
	if err := w.redis.Stop(); err != nil {
		w.t.Fatal(err)
	}
	if err := f(); err != nil {
		w.t.Fatal(err)
	}
	w.must(w.redis.Restart(w.t.Context()))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// admin is a client for what only an operator does.
func (w *world) admin() *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(w.kafka.Brokers...), Timeout: 10 * time.Second}
}

// deleteOffsets deletes the consumer groups, and what they have committed with
// them. No run may be up.
func (w *world) deleteOffsets() {
	w.t.Helper()
	// A member that was killed is in its group until its session is over.
	eventually(w.t, 20*time.Second, func() string {
		res, err := w.admin().DeleteGroups(w.t.Context(), &kafka.DeleteGroupsRequest{GroupIDs: []string{"toplu", "toplu-workers"}})
		if err != nil {
			return err.Error()
		}
		for group, err := range res.Errors {
			if err != nil && !strings.Contains(err.Error(), "Group ID Not Found") {
				return group + ": " + err.Error()
			}
		}
		return ""
	})
}

// rewind sets the consumers' offsets to 0. No run may be up.
func (w *world) rewind() {
	w.t.Helper()
	w.commit(map[int]int64{0: 0, 1: 0, 2: 0, 3: 0})
}

// commit sets the consumers' offsets, as other programs do. No run may be up.
func (w *world) commit(offsets map[int]int64) {
	w.t.Helper()
	eventually(w.t, 20*time.Second, func() string {
		var all []kafka.OffsetCommit
		for p, offset := range offsets {
			all = append(all, kafka.OffsetCommit{Partition: p, Offset: offset})
		}
		res, err := w.admin().OffsetCommit(w.t.Context(), &kafka.OffsetCommitRequest{
			GroupID: "toplu", GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{"payout.requests": all},
		})
		if err != nil {
			return err.Error()
		}
		for _, p := range res.Topics["payout.requests"] {
			if p.Error != nil {
				return p.Error.Error()
			}
		}
		return ""
	})
}

// shards are those that a run was assigned last.
func (p *process) shards() []int {
	var shards []int
	for line := range strings.Lines(p.output()) {
		var entry struct {
			Message string `json:"message"`
			Shards  []int  `json:"shards"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Message == "shards assigned" {
			shards = entry.Shards
		}
	}
	return shards
}

// runTwo starts two runs, and waits until each has shards.
func (w *world) runTwo() (a, b *process) {
	w.t.Helper()
	a, b = w.run("run-a"), w.run("run-b")
	eventually(w.t, 20*time.Second, func() string {
		if len(a.shards()) != 2 || len(b.shards()) != 2 {
			return "the shards are not divided"
		}
		return ""
	})
	return a, b
}

// up are the runs that are up, in the order of their start.
func (w *world) up() []*process {
	var up []*process
	for _, p := range w.runs {
		if p.running() {
			up = append(up, p)
		}
	}
	return up
}
