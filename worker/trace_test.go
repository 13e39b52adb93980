package worker

import (
	"context"
	"testing"

	"github.com/toplu/toplu/schema"
)

// TestNoTracerCostsNothing: without a tracer a step and a status allocate nothing
// for its sake.
func TestNoTracerCostsNothing(t *testing.T) {
	s := &Shard{}
	b := &batch{plan: &schema.Plan{ID: "b"}}
	st := &schema.Status{TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
	ctx := context.Background()
	n := testing.AllocsPerRun(100, func() {
		_, end := s.told(ctx, s.tale(b), "step")
		end()
		s.telling(st)
		s.acknowledged()
	})
	if n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}
