package consumer

import (
	"slices"
	"time"
)

// A CutOff says when of a day a merchant's payouts may begin: from Opens on, and
// no more from Closes on, on the days named. It is safe for concurrent use.
type CutOff struct {
	Opens, Closes int // minutes since midnight; Opens comes before Closes
	Zone          *time.Location
	Days          []time.Weekday
	Holidays      []string // 2026-01-31
}

// horizon is how many days are searched for one on which a merchant pays.
const horizon = 3700

// At tells what holds for a batch that is opened at a time: zero and the next
// cut-off while the merchant pays, else when it does next.
//
// Where a change of the clock leaves out a time of day, or has it twice, the
// merchant closes at the earlier of the two moments and opens at the later.
func (c *CutOff) At(now time.Time) (begins, closes time.Time) {
	year, month, day := now.In(c.Zone).Date()
	for n := range horizon {
		date := time.Date(year, month, day+n, 12, 0, 0, 0, time.UTC) // its year, month and day are those of the zone
		if !slices.Contains(c.Days, date.Weekday()) || slices.Contains(c.Holidays, date.Format(time.DateOnly)) {
			continue
		}
		_, opens := c.moments(date, c.Opens)
		closes, _ := c.moments(date, c.Closes)
		switch {
		case now.Before(opens):
			return opens.UTC(), time.Time{}
		case now.Before(closes):
			return time.Time{}, closes
		}
	}
	return now.AddDate(0, 0, horizon).UTC(), time.Time{}
}

// moments returns the first and the last moment at which clocks show a time of
// day on a date. They are one, but for a day on which the clock is changed.
func (c *CutOff) moments(date time.Time, minutes int) (first, last time.Time) {
	year, month, day := date.Date()
	asUTC := time.Date(year, month, day, 0, minutes, 0, 0, time.UTC)
	var found, candidates []time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := asUTC.Add(near).In(c.Zone).Zone()
		t := asUTC.Add(-time.Duration(offset) * time.Second)
		candidates = append(candidates, t)
		if local := t.In(c.Zone); local.Hour()*60+local.Minute() == minutes && local.Day() == day {
			found = append(found, t)
		}
	}
	if len(found) == 0 { // the clock jumps over it
		found = candidates
	}
	return slices.MinFunc(found, time.Time.Compare), slices.MaxFunc(found, time.Time.Compare)
}
