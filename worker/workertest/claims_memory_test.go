package workertest_test

import (
	"testing"

	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

func TestClaimsInMemory(t *testing.T) {
	t.Parallel()
	workertest.TestClaims(t, func(*testing.T) (worker.Claims, workertest.Tamper) {
		c := workertest.NewClaims()
		return c, c
	})
}
