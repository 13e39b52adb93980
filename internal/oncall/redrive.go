package oncall

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// The headers of a request that was sent back from the dead letters. A request
// that is refused again keeps them, so that its first letter is not sent twice.
const (
	HeaderRedrivenFrom = "toplu-redriven-from" // PARTITION/OFFSET of the letter
	HeaderRedrivenBy   = "toplu-redriven-by"
	HeaderRedrivenWhy  = "toplu-redriven-why"
)

// A Selection says which dead letters are meant. What is set must hold.
type Selection struct {
	Code         string
	PayoutID     string
	Place        string // PARTITION/OFFSET
	Since, Until time.Time
}

// Takes reports whether the letter is meant.
func (s *Selection) Takes(l *Letter) bool {
	return (s.Code == "" || s.Code == l.Code) && (s.PayoutID == "" || s.PayoutID == l.PayoutID) &&
		(s.Place == "" || s.Place == l.Place()) && !l.At.Before(s.Since) && (s.Until.IsZero() || l.At.Before(s.Until))
}

// Place is where the letter stands in the dead letters, as PARTITION/OFFSET.
func (l *Letter) Place() string { return fmt.Sprintf("%d/%d", l.Partition, l.Offset) }

// A Fate says what would become of a dead letter that is sent back.
type Fate string

// The fates. Only letters that would be paid are sent.
const (
	WouldBePaid  Fate = "would_be_paid"
	AlreadyTaken Fate = "already_taken" // a batch owns the payout, with the same content
	UsedUp       Fate = "used_up"       // the id belongs to a payout with other content: a conflict, for good
	StillInvalid Fate = "still_invalid"
	Repeated     Fate = "repeated"    // an earlier letter of this selection is the same payout
	SentBefore   Fate = "sent_before" // it was sent back and refused again, or it is sent and not answered yet
	Parked       Fate = "parked"      // from below the floor: it leaves only by a replay
)

// A JudgedLetter is a letter with its fate.
type JudgedLetter struct {
	Letter
	Fate Fate   `json:"fate"`
	Why  string `json:"why,omitempty"`
}

// A Preflight is what sending letters back would come to.
type Preflight struct {
	Letters []JudgedLetter            `json:"letters"`
	Fates   map[Fate]int              `json:"fates"`
	Sums    map[schema.Currency]int64 `json:"-"` // of what would be paid, minor units
}

// Preflight judges the letters of a selection by the rules and the claims as they
// are now. told hears of every letter read. It fails with [ErrNotKnown] if the
// claims cannot tell.
func (d *Desk) Preflight(ctx context.Context, s *Selection, rules *schema.Rules, told func(n int)) (*Preflight, error) {
	// Before the claims are asked: what is answered in between, they know.
	sent, first, err := d.onTheirWay(ctx, rules)
	if err != nil {
		return nil, err
	}
	p := &Preflight{Letters: []JudgedLetter{}, Fates: map[Fate]int{}, Sums: map[schema.Currency]int64{}}
	err = d.DeadLetters(ctx, 0, func(l *Letter) (bool, error) {
		told(1)
		if from, again := l.message.Get(HeaderRedrivenFrom); again {
			sent[from] = "it came back as " + l.Place() + ": " + l.Code
		}
		if s.Takes(l) {
			p.Letters = append(p.Letters, JudgedLetter{Letter: *l})
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	requests := p.read(rules, sent, d.unread)
	ids := make([]string, len(requests))
	for i, r := range requests {
		ids[i] = r.PayoutID
	}
	owners, err := d.owners(ctx, ids)
	if err != nil {
		return nil, err
	}
	p.judge(requests, owners, first, d.Seal)
	for i := range p.Letters {
		p.Fates[p.Letters[i].Fate]++
	}
	return p, nil
}

// onTheirWay reads the requests that are not answered yet: which letters are
// among them, and what each payout id asks for first.
func (d *Desk) onTheirWay(ctx context.Context, rules *schema.Rules) (sent map[string]string, first map[string]asked, err error) {
	lags, err := d.Lags(ctx)
	if err != nil {
		return nil, nil, err
	}
	sent, first = map[string]string{}, map[string]asked{}
	for _, l := range lags {
		err := d.readTopic(ctx, l.Topic, l.Partition, l.Reached(), l.End, func(r kafkaio.Record) (bool, error) {
			m := r.Message()
			if from, again := m.Get(HeaderRedrivenFrom); again {
				sent[from] = fmt.Sprintf("it is on its way at %s/%d offset %d", r.Topic, r.Partition, r.Offset)
			}
			e, err := schema.DecodeRequest(m, rules)
			if _, known := first[e.Request.PayoutID]; err == nil && !known && rules.Misplaced(r.Topic, &e.Request) == nil {
				first[e.Request.PayoutID] = asked{d.Seal.Content(&e.Request), schema.Source{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}}
			}
			return true, nil
		})
		if err != nil {
			return nil, nil, err
		}
	}
	return sent, first, nil
}

// asked is the first request for a payout that nobody owns yet.
type asked struct {
	content schema.Digest
	source  schema.Source
}

// A candidate is a letter that is a valid request now.
type candidate struct {
	schema.Request
	letter int
}

// read judges what the letters tell by themselves, and returns the others.
func (p *Preflight) read(rules *schema.Rules, sent map[string]string, unread func(topic string) string) []candidate {
	var all []candidate
	for i := range p.Letters {
		l := &p.Letters[i]
		if l.Code == schema.CodeBelowFloor {
			l.Fate, l.Why = Parked, "the group was set back: toplu replay plan --parked, then toplu replay run"
			continue
		}
		if why := sent[l.Place()]; why != "" {
			l.Fate, l.Why = SentBefore, why
			continue
		}
		if l.Closed != "" {
			l.Fate, l.Why = StillInvalid, l.Closed
			continue
		}
		e, err := schema.DecodeRequest(l.message, rules)
		if err != nil {
			l.Fate, l.Why = StillInvalid, "it cannot be read"
			if bad, ok := errors.AsType[*schema.Invalid](err); ok {
				l.Why = bad.Error()
			}
			continue
		}
		// It goes back to where it came from: nobody's request gets into another's
		// topic by way of the dead letters.
		if bad := rules.Misplaced(l.Source.Topic, &e.Request); bad != nil {
			l.Fate, l.Why = StillInvalid, bad.Error()
			continue
		}
		if why := unread(l.Source.Topic); why != "" {
			l.Fate, l.Why = StillInvalid, why
			continue
		}
		all = append(all, candidate{e.Request, i})
	}
	return all
}

// judge judges valid requests by who owns them, and by what is asked for before
// them and not answered yet.
func (p *Preflight) judge(requests []candidate, owners []worker.Owner, first map[string]asked, keys *seal.Keys) {
	for i := range requests {
		r, l := &requests[i].Request, &p.Letters[requests[i].letter]
		content := keys.Content(r)
		earlier, again := first[r.PayoutID]
		again = again && earlier.source != l.Source // it is answered by this letter, and not committed yet
		switch {
		case owners[i].Offset != worker.None && keys.Same(owners[i].Content, r):
			l.Fate, l.Why = AlreadyTaken, "a batch has it: toplu explain "+r.PayoutID
		case owners[i].Offset != worker.None, again && earlier.content != content:
			l.Fate, l.Why = UsedUp, "the payout id is used up by another merchant, recipient or amount: a new payout needs a new id"
		case again:
			l.Fate = Repeated
		default:
			l.Fate = WouldBePaid
			first[r.PayoutID] = asked{content, l.Source}
			p.Sums[r.Amount.Currency] += r.Amount.Minor
		}
	}
}

// Redrive sends the letters that would be paid back to the topics that they came
// from, with their event ids, at most rate in a second, and notes before that who
// does it and why. told hears how many are sent, after each chunk. It returns how
// many are sent for certain.
func (d *Desk) Redrive(ctx context.Context, p *Preflight, by, why string, rate int, told func(n int)) (int, error) {
	var out []kafkaio.Addressed
	var ids []string
	for i := range p.Letters {
		if l := &p.Letters[i]; l.Fate == WouldBePaid {
			out = append(out, kafkaio.Addressed{Topic: l.Source.Topic, Message: l.sentBack(by, why)})
			ids = append(ids, l.PayoutID)
		}
	}
	if err := d.noteAgain(ctx, schema.CmdRedrive, by, why, ids); err != nil {
		return 0, err
	}
	return send(ctx, d.Kafka.PublishAll, out, newPace(rate), told)
}

// request is the request as it came, without what its death and an earlier
// redrive added.
func (l *Letter) request() schema.Message {
	ours := []string{
		schema.HeaderReasonCode, schema.HeaderReason, schema.HeaderTopic, schema.HeaderPartition, schema.HeaderOffset,
		schema.HeaderTime, schema.HeaderPayoutID, schema.HeaderSealed, HeaderRedrivenFrom, HeaderRedrivenBy, HeaderRedrivenWhy,
	}
	m := schema.Message{Key: l.message.Key, Value: l.message.Value}
	for _, h := range l.message.Headers {
		if !slices.Contains(ours, h.Key) {
			m.Headers = append(m.Headers, h)
		}
	}
	return m
}

// sentBack is the request as it came, with a mark.
func (l *Letter) sentBack(by, why string) kafkaio.Message {
	bare := l.request()
	m := kafkaio.Message{Key: bare.Key, Value: bare.Value, Headers: bare.Headers}
	add := func(key, value string) { m.Headers = append(m.Headers, kafkaio.Header{Key: key, Value: []byte(value)}) }
	add(HeaderRedrivenFrom, l.Place())
	add(HeaderRedrivenBy, by)
	if why != "" {
		add(HeaderRedrivenWhy, why)
	}
	return m
}

// PlaceOf checks a place in the dead letters, PARTITION/OFFSET.
func PlaceOf(text string) (partition int, offset int64, err error) {
	p, o, ok := strings.Cut(text, "/")
	partition, perr := strconv.Atoi(p)
	offset, oerr := strconv.ParseInt(o, 10, 64)
	if !ok || perr != nil || oerr != nil || partition < 0 || offset < 0 {
		return 0, 0, fmt.Errorf("%q is no place: PARTITION/OFFSET, as dlq list --letters shows it", text)
	}
	return partition, offset, nil
}
