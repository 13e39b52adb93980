package schema_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
)

// The design's arrows, written down a second time on purpose.
var designed = map[string][]schema.PayoutStatus{
	"":                {"accepted"},
	"accepted":        {"submitted", "rejected", "cancelled", "unknown"},
	"submitted":       {"paid", "failed", "unknown"},
	"failed":          {"returned", "return_failed"},
	"unknown":         {"submitted", "paid", "failed", "returned", "return_failed", "rejected", "cancelled"},
	"paid":            {},
	"returned":        {},
	"return_failed":   {},
	"rejected":        {},
	"cancelled":       {},
	"never heard of":  nil,
	"request_refused": nil,
}

func TestArrowsAreTheDesigns(t *testing.T) {
	t.Parallel()
	all := append([]schema.PayoutStatus{"", "never heard of"}, schema.Statuses...)
	for _, from := range all {
		for _, to := range all {
			if got, want := from.CanBecome(to), slices.Contains(designed[string(from)], to); got != want {
				t.Errorf("CanBecome from %q to %q = %v, want %v", from, to, got, want)
			}
		}
		if diff := cmp.Diff(designed[string(from)], from.Next()); diff != "" {
			t.Errorf("Next of %q (-want +got):\n%s", from, diff)
		}
	}
	if len(schema.Arrows) != len(schema.Statuses)+1 {
		t.Errorf("%d statuses have arrows, want %d", len(schema.Arrows), len(schema.Statuses)+1)
	}
}

// Once it is settled whether a payout was paid, nothing may unsettle it.
func TestFinalStaysFinal(t *testing.T) {
	t.Parallel()
	final := []schema.PayoutStatus{"paid", "failed", "returned", "return_failed", "rejected", "cancelled"}
	for _, s := range append([]schema.PayoutStatus{"", "never heard of", "request_refused"}, schema.Statuses...) {
		if got := s.Final(); got != slices.Contains(final, s) {
			t.Errorf("Final of %q = %v", s, got)
		}
		if !s.Final() {
			continue
		}
		for _, next := range s.Next() {
			if !next.Final() {
				t.Errorf("%s is final and may become %s, which is not", s, next)
			}
			if s == schema.Paid || next == schema.Paid {
				t.Errorf("%s may become %s: payment is not settled", s, next)
			}
		}
	}
}
