package redisclaim_test

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/redisclaim"
	"github.com/toplu/toplu/worker/workertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestClaimsOnMiniredis(t *testing.T) {
	t.Parallel()
	workertest.TestClaims(t, func(t *testing.T) (worker.Claims, workertest.Tamper) {
		rdb := mini(t)
		store := open(t, rdb, "toplu")
		return store, tamper{t, rdb, store}
	})
}

// mini returns a client of a Redis of its own, in this process.
func mini(t *testing.T) redis.UniversalClient {
	t.Helper()
	return dial(t, miniredis.RunT(t).Addr())
}

func dial(t testing.TB, addr string) redis.UniversalClient {
	t.Helper()
	rdb := redisclaim.Dial(redisclaim.Config{Addrs: []string{addr}})
	t.Cleanup(func() {
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	})
	return rdb
}

func open(t testing.TB, rdb redis.UniversalClient, prefix string) *redisclaim.Store {
	t.Helper()
	store := redisclaim.New(rdb, prefix)
	t.Cleanup(store.Close)
	return store
}
