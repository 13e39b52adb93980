package conformance

import (
	"fmt"
	"strings"
)

// A Verdict is what became of a play in a ledger's books.
type Verdict struct {
	OK      bool           `json:"ok"`
	Payouts int            `json:"payouts"`
	Wrong   int            `json:"wrong"`
	Stories []StoryVerdict `json:"stories"` // all of them, in the same order always
	Strange []string       `json:"strange"` // ids in the books that no event had; at most 10
}

// A StoryVerdict is what became of the payouts of one story.
type StoryVerdict struct {
	Story   string `json:"story"`
	Payouts int    `json:"payouts"`
	Wrong   int    `json:"wrong"`
	Example string `json:"example,omitempty"` // one that is wrong: what is booked, and what should be
	Lesson  string `json:"lesson,omitempty"`  // only if some are wrong
}

// Judge compares books with what they should be after the whole play.
func (p *Play) Judge(books Books) Verdict {
	v := Verdict{Payouts: len(p.payouts), Strange: []string{}}
	at := map[*Story]int{}
	for i := range stories {
		at[&stories[i]] = i
		v.Stories = append(v.Stories, StoryVerdict{Story: stories[i].Name})
	}
	known := map[string]bool{}
	for i := range p.payouts {
		q := &p.payouts[i]
		known[q.id] = true
		s := &v.Stories[at[q.story]]
		s.Payouts++
		if wrong := q.compare(books); wrong != "" {
			v.Wrong++
			s.Wrong++
			if s.Wrong == 1 {
				s.Example, s.Lesson = q.id+": "+wrong, q.story.Lesson
			}
		}
	}
	for id := range books {
		if !known[id] && len(v.Strange) < 10 {
			v.Strange = append(v.Strange, id)
		}
	}
	v.OK = v.Wrong == 0 && len(v.Strange) == 0
	return v
}

// compare says how a payout's entry differs from what it should be; "" if it
// does not.
func (p *payout) compare(books Books) string {
	got, there := books[p.id]
	want, booked := p.entry()
	switch {
	case !booked && there && (got.Reserved != "0.00" || got.Paid != "0.00" || got.Commission != "0.00"):
		return fmt.Sprintf("reserved %s, paid %s, commission %s are booked, and nothing should be", got.Reserved, got.Paid, got.Commission)
	case !booked:
		return ""
	case !there:
		return "is not in the books, and should be " + want.Status
	}
	var wrong []string
	differ := func(what, got, want string) {
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s is %s and should be %s", what, got, want))
		}
	}
	differ("status", got.Status, want.Status)
	differ("reserved", got.Reserved, want.Reserved)
	differ("paid", got.Paid, want.Paid)
	differ("commission", got.Commission, want.Commission)
	return strings.Join(wrong, "; ")
}

// curtainDown reports whether the books have the last payout of every partition
// in an act, and so all before them, if the ledger books in order.
func (p *Play) curtainDown(act int, books Books) bool {
	for _, id := range p.curtain[act] {
		if books[id].Status != "paid" {
			return false
		}
	}
	return true
}

// started reports whether the books have a payout that begins in an act.
func (p *Play) started(act int, books Books) bool {
	for i := range p.payouts {
		if q := &p.payouts[i]; q.story.act == act && books[q.id].Status != "" {
			return true
		}
	}
	return false
}
