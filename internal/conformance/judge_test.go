package conformance_test

import (
	stdcmp "cmp"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/conformance"
	"github.com/toplu/toplu/schema"
)

var at = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func compose(t *testing.T, n int) *conformance.Play {
	t.Helper()
	play, err := conformance.Compose(n, 4, 1, at)
	if err != nil {
		t.Fatal(err)
	}
	return play
}

// perform books a whole play in a ledger, without Kafka. In the second act the
// ledger is told half of the act twice, as after a crash before the commit; amid
// the third another process goes on.
func perform(play *conformance.Play, l *ledger) conformance.Verdict {
	for act, messages := range play.Acts {
		half := len(messages) / 2
		for i, m := range messages {
			if act == 2 && i == half {
				l.handOver()
			}
			l.book(m)
			if act == 1 && i == half {
				for _, again := range messages[:half] {
					l.book(again)
				}
			}
		}
	}
	return play.Judge(l.books())
}

// Every way to get it wrong is caught, by the stories that teach about it.
func TestFlawsAreCaughtByTheirStories(t *testing.T) {
	t.Parallel()
	gaps := []string{"gap", "gap for ever", "beginning missing", "crossed"}
	cases := map[string]struct {
		flaw   flaw
		want   []string // stories that must be wrong; others must not
		lesson string   // what the first of them teaches
	}{
		"none":                      {flaw{}, nil, ""},
		"books every event it sees": {flaw{again: true}, []string{"twice", "re-emitted", "interrupted", "gap", "beginning missing", "handed over", "crossed"}, "came again and was booked again"},
		"adds what an event says":   {flaw{adds: true}, []string{"returned late", "return failed", "beginning missing"}, "Book what the books should be after a status"},
		"takes the last for latest": {flaw{anyOrder: true}, []string{"gap", "beginning missing", "crossed"}, "take the higher sequence"},
		"waits for what is missing": {flaw{waits: true}, gaps, "nothing waits for another"},
		"releases at unknown":       {flaw{unknownFails: true}, []string{"unknown"}, "unknown is not a failure"},
		"books refusals":            {flaw{booksRefusals: true}, []string{"refused", "refused and corrected"}, "never booked"},
		"skips what it cannot name": {flaw{knownOnly: true}, []string{"invented status", "invented end"}, "Keep the status as text"},
		"lists what is final":       {flaw{listsFinal: true}, []string{"invented end"}, "true releases the reserve"},
		"takes v1 for a status":     {flaw{anyOfVersion1: true}, []string{"another type"}, "whatever their data looks like"},
		"takes all events for its":  {flaw{anyType: true}, []string{"another type", "later version"}, "skip fields that you do not know"},
		"commission with every end": {flaw{alwaysCommission: true}, []string{"failed", "rejected", "cancelled", "returned late", "return failed", "unknown and rejected", "unknown and returned"}, "The commission in it is no cost"},
		"counts in floats":          {flaw{rounds: true}, []string{"exact"}, "Amounts are decimal texts"},
		"loses what it had in hand": {flaw{loses: true}, []string{"interrupted"}, "Commit the offset only after the booking"},
		"remembers by itself":       {flaw{memory: true}, []string{"handed over", "gap"}, "Processes share books, not memory"},
		"takes final for the end":   {flaw{finalIsEnd: true}, []string{"returned late", "return failed"}, "returned came long after failed"},
		"takes returned for undone": {flaw{takesBack: true}, []string{"returned late", "unknown and returned"}, "releases nothing a second time"},
	}
	play := compose(t, 10*conformance.MinPayouts)
	for name, c := range cases {
		v := perform(play, newLedger(c.flaw))
		var wrong, lessons []string
		for _, s := range v.Stories {
			if (s.Wrong > 0) != (s.Lesson != "" && s.Example != "") {
				t.Errorf("%s: %s: %d wrong, lesson %q, example %q", name, s.Story, s.Wrong, s.Lesson, s.Example)
			}
			if s.Wrong > 0 {
				wrong, lessons = append(wrong, s.Story), append(lessons, s.Lesson)
			}
		}
		if !strings.Contains(strings.Join(lessons, " "), c.lesson) {
			t.Errorf("%s: nothing of %q in %q", name, c.lesson, lessons)
		}
		slices.Sort(wrong)
		slices.Sort(c.want)
		if diff := cmp.Diff(c.want, wrong); diff != "" || v.OK != (c.want == nil) {
			t.Errorf("%s: ok %v, wrong stories (-want +got):\n%s", name, v.OK, diff)
		}
		t.Logf("%-26s %s", name, stdcmp.Or(strings.Join(wrong, ", "), "passes"))
	}
}

// What is booked of nothing is noticed.
func TestStrangeEntries(t *testing.T) {
	t.Parallel()
	play, l := compose(t, 100), newLedger(flaw{})
	perform(play, l)
	books := l.books()
	books["somebody-elses"] = conformance.Entry{PayoutID: "somebody-elses", Reserved: "0.00", Paid: "0.00", Commission: "0.00"}
	if v := play.Judge(books); v.OK || !slices.Equal(v.Strange, []string{"somebody-elses"}) {
		t.Errorf("got %+v", v)
	}
}

// The events of a play are those of the contract, but where it looks ahead.
func TestEventsAreInTheContract(t *testing.T) {
	t.Parallel()
	play, ids := compose(t, 200), map[string]string{}
	for _, messages := range play.Acts {
		for _, m := range messages {
			kind, _ := m.Get("ce_type")
			if slices.Contains([]string{"payout.annotated.v2", "payout.annotated.v1", "payout.noted.v1"}, kind) {
				if _, err := schema.DecodeStatus(m); !errors.Is(err, schema.ErrOtherType) {
					t.Errorf("%s is read with %v", kind, err)
				}
				continue
			}
			s, err := schema.DecodeStatus(m)
			if err != nil || s.PayoutID != string(m.Key) {
				t.Fatalf("%v: %s", err, m.Value)
			}
			id, _ := m.Get("ce_id")
			if earlier := ids[id]; earlier != "" && earlier != string(m.Value) {
				t.Errorf("one id, two contents:\n%s\n%s", earlier, m.Value)
			}
			ids[id] = string(m.Value)
		}
	}
	again := compose(t, 200)
	if diff := cmp.Diff(play.Acts, again.Acts); diff != "" {
		t.Errorf("the same seed wrote another play: %s", diff)
	}
	if _, err := conformance.Compose(3, 4, 1, at); err == nil {
		t.Error("a play without payouts for every story")
	}
}
