//go:build integration

package redislimit_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/internal/realparts"
	"github.com/toplu/toplu/worker/redisclaim"
)

func TestRedis(t *testing.T) {
	t.Parallel()
	suite(t, redisclaim.Dial(redisclaim.Config{Addrs: []string{startRedis(t)}}))
}

// A cluster of one node refuses scripts that reach beyond the slot of their KEYS,
// as a larger one does.
func TestRedisCluster(t *testing.T) {
	t.Parallel()
	addr := startRedis(t, "--cluster-enabled", "yes")
	node := redis.NewClient(&redis.Options{Addr: addr})
	defer node.Close()
	if err := node.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); node.Set(t.Context(), "ready", 1, 0).Err() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the cluster does not get ready")
		}
	}
	suite(t, redisclaim.Dial(redisclaim.Config{Addrs: []string{addr}, Cluster: true}))
}

func startRedis(t *testing.T, options ...string) (addr string) {
	t.Helper()
	r, err := realparts.StartRedis(t.Context(), t.TempDir(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Kill() })
	return r.Addr
}
