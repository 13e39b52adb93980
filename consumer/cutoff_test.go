package consumer_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/toplu/toplu/consumer"
)

func TestCutOff(t *testing.T) {
	t.Parallel()
	zone := func(name string) *time.Location {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return loc
	}
	weekdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	all := append([]time.Weekday{time.Saturday, time.Sunday}, weekdays...)
	bank := consumer.CutOff{Opens: 9 * 60, Closes: 17 * 60, Zone: zone("Europe/Istanbul"), Days: weekdays, Holidays: []string{"2026-10-29"}}
	// On 29 March 2026 Berlin has no 02:00 to 03:00; on 25 October it has them twice.
	night := consumer.CutOff{Opens: 2*60 + 30, Closes: 22 * 60, Zone: zone("Europe/Berlin"), Days: all}
	late := consumer.CutOff{Opens: 0, Closes: 2*60 + 30, Zone: zone("Europe/Berlin"), Days: all}
	tests := []struct {
		name        string
		cut         *consumer.CutOff
		now         string
		begins, til string // "" for none
	}{
		{"open", &bank, "2026-03-03T16:59:59+03:00", "", "2026-03-03T17:00:00+03:00"},
		{"at the cut-off", &bank, "2026-03-03T17:00:00+03:00", "2026-03-04T09:00:00+03:00", ""},
		{"in the night", &bank, "2026-03-04T00:30:00+03:00", "2026-03-04T09:00:00+03:00", ""},
		{"at the opening", &bank, "2026-03-04T09:00:00+03:00", "", "2026-03-04T17:00:00+03:00"},
		{"told in another zone", &bank, "2026-03-03T13:59:59Z", "", "2026-03-03T17:00:00+03:00"},
		{"the day there, not here", &bank, "2026-03-03T22:30:00Z", "2026-03-04T09:00:00+03:00", ""},
		{"over the weekend", &bank, "2026-03-06T18:00:00+03:00", "2026-03-09T09:00:00+03:00", ""},
		{"on Saturday", &bank, "2026-03-07T10:00:00+03:00", "2026-03-09T09:00:00+03:00", ""},
		{"over a holiday", &bank, "2026-10-28T17:30:00+03:00", "2026-10-30T09:00:00+03:00", ""},
		{"an opening that the clock jumps over", &night, "2026-03-29T00:10:00+01:00", "2026-03-29T03:30:00+02:00", ""},
		{"and after it", &night, "2026-03-29T03:30:00+02:00", "", "2026-03-29T22:00:00+02:00"},
		{"an opening that comes twice is the later", &night, "2026-10-25T02:45:00+02:00", "2026-10-25T02:30:00+01:00", ""},
		{"a cut-off that comes twice is the earlier", &late, "2026-10-25T02:30:00+02:00", "2026-10-26T00:00:00+01:00", ""},
		{"a cut-off that the clock jumps over", &late, "2026-03-29T01:29:00+01:00", "", "2026-03-29T01:30:00+01:00"},
		{"the day after a change", &night, "2026-03-29T23:00:00+02:00", "2026-03-30T02:30:00+02:00", ""},
	}
	for _, tt := range tests {
		at := func(s string) time.Time {
			if s == "" {
				return time.Time{}
			}
			v, err := time.Parse(time.RFC3339, s)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		begins, closes := tt.cut.At(at(tt.now))
		if !begins.Equal(at(tt.begins)) || !closes.Equal(at(tt.til)) {
			t.Errorf("%s: begins %v, closes %v, want %q and %q", tt.name, begins, closes, tt.begins, tt.til)
		}
	}
	never := bank
	never.Days = nil
	if begins, _ := never.At(at0); begins.Before(at0.AddDate(1, 0, 0)) {
		t.Errorf("without days it begins at %v", begins)
	}
}

var at0 = time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
