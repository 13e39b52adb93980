package workertest_test

import (
	"testing"

	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

func TestMemoryLog(t *testing.T) {
	t.Parallel()
	workertest.TestLog(t, func(*testing.T) worker.Log { return &workertest.Log{} })
}
