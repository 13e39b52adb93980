package app

import (
	"testing"
	"time"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/workertest"
)

// TestFirstPlan shows that a log which two processes began at once holds no plan,
// so that an empty journal beside it is no loss.
func TestFirstPlan(t *testing.T) {
	log := &workertest.Log{}
	appended := func(value []byte) {
		t.Helper()
		if _, err := log.Append(t.Context(), schema.Message{Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(offset int64) {
		t.Helper()
		if at, err := firstPlan(t.Context(), log); err != nil || at != offset {
			t.Errorf("got offset %d, error %v, want offset %d", at, err, offset)
		}
	}
	want(worker.None)
	genesis := schema.EncodePlanGenesis(&schema.Genesis{LogID: "log", Partitions: 4, At: time.Unix(1, 0)})
	appended(genesis)
	appended(genesis)
	want(worker.None)
	appended([]byte("anything else"))
	want(2)
}
