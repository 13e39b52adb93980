package spans_test

import (
	"testing"

	"github.com/toplu/toplu/internal/spans"
)

func TestRequest(t *testing.T) {
	t.Parallel()
	const ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
	for parent, want := range map[string]bool{
		"":                  false,
		"00-" + ids + "-01": true,
		"00-" + ids + "-03": true,
		"00-" + ids + "-0b": true,
		"00-" + ids + "-00": false,
		"00-" + ids + "-0a": false,
		"ff-" + ids + "-01": false,
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": false,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01": false,
		"order-1042": false,
	} {
		c, ok := spans.Request(parent)
		if ok != want || ok && c.TraceID().String()+"-"+c.SpanID().String() != ids {
			t.Errorf("%q: %v %v", parent, c, ok)
		}
	}
}

// TestBatch: the context of a batch's trace must never change between versions,
// or a trace falls apart at a deploy.
func TestBatch(t *testing.T) {
	t.Parallel()
	c := spans.Batch("epecrhegbny23bakl7xppmi7")
	if !c.IsValid() || !c.IsSampled() || c.TraceID().String() != "717bb50e331261e259f09b632758be90" || c.SpanID().String() != "0f18bf11e7d9d1a1" {
		t.Errorf("%s %s", c.TraceID(), c.SpanID())
	}
}
