package oncall

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// A Stretch of the requests: a time or an offset in every partition of a topic.
type Stretch struct {
	Topic                string
	From, To             time.Time
	FromOffset, ToOffset int64 // used where the times are zero; ToOffset 0 is the end
	Merchant             string
	IDs                  map[string]bool // nil: all
	Parked               bool            // of the dead letters that were parked below the floor, not of Topic
}

// topic is where the stretch is.
func (d *Desk) topic(s *Stretch) string {
	if s.Parked {
		return d.Topics.DLQ
	}
	return s.Topic
}

// A ReplayPlan says what asking again for a stretch of requests would come to,
// and names what would be paid. [Desk.RunReplay] pays exactly that.
type ReplayPlan struct {
	Version int                         `json:"version"`
	MadeAt  time.Time                   `json:"madeAt"`
	Topic   string                      `json:"topic"`
	LogIDs  []string                    `json:"logIds"` // of the shards
	Ranges  []ReplayRange               `json:"ranges"`
	Read    int                         `json:"read"`    // requests in the stretch
	Skipped int                         `json:"skipped"` // of these, other merchants and ids
	Known   map[schema.PayoutStatus]int `json:"known"`   // taken with the same content, by status
	// Imported counts those whose id is used up since it was paid elsewhere.
	Imported int                        `json:"imported,omitempty"`
	UsedUp   int                        `json:"usedUp"`  // the id belongs to a payout with other content
	Refused  map[string]int             `json:"refused"` // invalid by the rules of now, by code
	Again    int                        `json:"again"`   // new, and in the stretch before or on its way
	New      []ReplayItem               `json:"new"`     // would be paid
	Sums     map[schema.Currency]string `json:"newSums"`
	Digest   string                     `json:"digest"` // SHA-256 of all of this with an empty digest
}

// A ReplayRange is the offsets of a partition from From up to, not including, To.
type ReplayRange struct {
	Partition int   `json:"partition"`
	From      int64 `json:"from"`
	To        int64 `json:"to"`
}

// A ReplayItem is a request that would be paid.
type ReplayItem struct {
	PayoutID  string `json:"payoutId"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
	Merchant  string `json:"merchant"`
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	Content   string `json:"content"` // digest of merchant, recipient and amount
}

// replayVersion is the version of a plan's file.
const replayVersion = 1

// Seal fills in the digest.
func (p *ReplayPlan) Seal() error {
	d, err := p.digest()
	p.Digest = d
	return err
}

func (p *ReplayPlan) digest() (string, error) {
	bare := *p
	bare.Digest = ""
	text, err := json.Marshal(&bare)
	if err != nil {
		return "", err
	}
	full := sha256.Sum256(text)
	return hex.EncodeToString(full[:]), nil
}

// history is what the logs tell of every payout.
type history struct {
	logIDs []string
	known  map[[12]byte]pastPayout
}

type pastPayout struct {
	content  schema.Digest
	status   schema.PayoutStatus
	imported bool // paid elsewhere: it has no status
}

func idKey(payoutID string) [12]byte {
	full := sha256.Sum256([]byte(payoutID))
	return [12]byte(full[:12])
}

// history folds every log: who owns what and what became of it.
func (d *Desk) history(ctx context.Context, read func(n int)) (*history, error) {
	h := &history{known: map[[12]byte]pastPayout{}}
	for shard := range d.Shards {
		logs := d.Logs(shard)
		told, err := worker.Retell(ctx, shard, logs.Plans, logs.Journal, worker.Listener{
			Plan: func(offset int64, p *schema.Plan, owners []worker.Owner, _ int64) error {
				read(1)
				for i, o := range owners {
					if o.Offset == offset {
						h.known[idKey(p.Items[i].PayoutID)] = pastPayout{content: o.Content, status: schema.Accepted}
					}
				}
				return nil
			},
			Imported: func(offset int64, im *schema.Imported, owners []worker.Owner, _ int64) error {
				for i, o := range owners {
					if o.Offset == offset {
						h.known[idKey(im.Items[i].PayoutID)] = pastPayout{content: o.Content, imported: true}
					}
				}
				return nil
			},
			Record: func(int64, *schema.Record, string) error {
				read(1)
				return nil
			},
			Status: func(s *schema.Status) error {
				k := idKey(s.PayoutID)
				h.known[k] = pastPayout{content: h.known[k].content, status: s.Status}
				return nil
			},
		})
		if err != nil {
			return nil, err
		}
		h.logIDs = append(h.logIDs, told.LogID)
	}
	return h, nil
}

// PlanReplay reads a stretch of the requests again and says what became of each,
// without changing anything. What the consumers have not answered yet is on its
// way by itself and is left out. told hears of every record read.
func (d *Desk) PlanReplay(ctx context.Context, s *Stretch, rules *schema.Rules, told func(n int)) (*ReplayPlan, error) {
	_, pending, err := d.onTheirWay(ctx, rules)
	if err != nil {
		return nil, err
	}
	ranges, err := d.ranges(ctx, s)
	if err != nil {
		return nil, err
	}
	h, err := d.history(ctx, told)
	if err != nil {
		return nil, err
	}
	topic := d.topic(s)
	p := &ReplayPlan{
		Version: replayVersion, MadeAt: d.Now().UTC(), Topic: topic, LogIDs: h.logIDs, Ranges: ranges,
		Known: map[schema.PayoutStatus]int{}, Refused: map[string]int{}, New: []ReplayItem{}, Sums: map[schema.Currency]string{},
	}
	j := &replayJudge{desk: d, seal: d.Seal, plan: p, stretch: s, rules: rules, history: h, first: pending, sums: map[schema.Currency]int64{}}
	for _, r := range ranges {
		err := d.readTopic(ctx, topic, r.Partition, r.From, r.To, func(rec kafkaio.Record) (bool, error) {
			told(1)
			if m, from, err := d.request(topic, &rec); err != nil {
				p.Read++
				p.Refused[codeClosed]++
			} else if from != "" {
				j.judge(m, from, &rec)
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	if err := d.stillNew(ctx, p); err != nil {
		return nil, err
	}
	for currency, minor := range j.sums {
		p.Sums[currency] = schema.FormatMinor(minor)
	}
	return p, p.Seal()
}

// ranges finds the stretch in every partition, up to what is answered.
func (d *Desk) ranges(ctx context.Context, s *Stretch) ([]ReplayRange, error) {
	topic, reached := d.topic(s), map[int]int64{}
	bounds, err := d.Kafka.Offsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	for partition, b := range bounds {
		reached[partition] = b.End
	}
	if !s.Parked {
		lags, err := d.Lags(ctx)
		if err != nil {
			return nil, err
		}
		for _, l := range lags {
			if l.Topic == topic {
				reached[l.Partition] = l.Reached()
			}
		}
	}
	from, to := map[int]int64{}, map[int]int64{}
	if !s.From.IsZero() {
		if from, err = d.Kafka.OffsetsAt(ctx, topic, s.From); err != nil {
			return nil, err
		}
	}
	if !s.To.IsZero() {
		if to, err = d.Kafka.OffsetsAt(ctx, topic, s.To); err != nil {
			return nil, err
		}
	}
	var all []ReplayRange
	for _, partition := range slices.Sorted(maps.Keys(bounds)) {
		r := ReplayRange{Partition: partition, From: s.FromOffset, To: reached[partition]}
		if at, ok := from[partition]; ok {
			r.From = at
		}
		if at, ok := to[partition]; ok {
			r.To = min(r.To, at)
		} else if s.ToOffset > 0 {
			r.To = min(r.To, s.ToOffset)
		}
		r.From = max(r.From, bounds[partition].Start)
		if r.From < r.To {
			all = append(all, r)
		}
	}
	return all, nil
}

// codeClosed counts parked letters that are sealed with a key that is not here.
const codeClosed = "sealed"

// request is the request in a record of the requests, or of the dead letters, and
// the topic from which it is or was asked for. Of the dead letters only what was
// parked below the floor is meant: from is "" for the others. It fails if that is
// sealed and its key is not here.
func (d *Desk) request(topic string, rec *kafkaio.Record) (m schema.Message, from string, err error) {
	if topic != d.Topics.DLQ {
		return rec.Message(), topic, nil
	}
	l := d.openLetter(*rec)
	switch {
	case l.Code != schema.CodeBelowFloor:
		return m, "", nil
	case l.Closed != "":
		return m, l.Source.Topic, errors.New(l.Closed)
	}
	return l.request(), l.Source.Topic, nil
}

// unread says why a request must not be written to topic; "": it may be.
func (d *Desk) unread(topic string) string {
	if slices.Contains(d.Topics.Sources(), topic) {
		return ""
	}
	return fmt.Sprintf("it came in the topic %q, which is read no more: no merchant names it", topic)
}

// A replayJudge judges requests one by one.
type replayJudge struct {
	desk    *Desk
	seal    *seal.Keys
	plan    *ReplayPlan
	stretch *Stretch
	rules   *schema.Rules
	history *history
	first   map[string]asked // of payouts that nobody owns
	sums    map[schema.Currency]int64
}

func (j *replayJudge) judge(m schema.Message, from string, rec *kafkaio.Record) {
	p := j.plan
	p.Read++
	e, err := schema.DecodeRequest(m, j.rules)
	if err != nil {
		code := schema.CodeInvalid
		if bad, ok := errors.AsType[*schema.Invalid](err); ok {
			code = bad.Code
		}
		p.Refused[code]++
		return
	}
	r := &e.Request
	if j.stretch.Merchant != "" && r.Merchant != j.stretch.Merchant || j.stretch.IDs != nil && !j.stretch.IDs[r.PayoutID] {
		p.Skipped++
		return
	}
	content := j.seal.Content(r)
	past, known := j.history.known[idKey(r.PayoutID)]
	earlier, again := j.first[r.PayoutID]
	switch {
	case known && past.imported && j.seal.Same(past.content, r):
		p.Imported++
	case known && j.seal.Same(past.content, r):
		p.Known[past.status]++
	case known, again && earlier.content != content:
		p.UsedUp++
	case j.rules.Misplaced(from, r) != nil, j.desk.unread(from) != "":
		p.Refused[schema.CodeWrongTopic]++
	case again:
		p.Again++
	default:
		j.first[r.PayoutID] = asked{content: content}
		j.sums[r.Amount.Currency] += r.Amount.Minor
		p.New = append(p.New, ReplayItem{
			PayoutID: r.PayoutID, Partition: rec.Partition, Offset: rec.Offset, Merchant: r.Merchant,
			Amount: r.Amount.Value(), Currency: string(r.Amount.Currency), Content: hex.EncodeToString(content[:]),
		})
	}
}

// stillNew makes sure that nothing that is called new was taken while the plan
// was made.
func (d *Desk) stillNew(ctx context.Context, p *ReplayPlan) error {
	ids := make([]string, len(p.New))
	for i := range p.New {
		ids[i] = p.New[i].PayoutID
	}
	owners, err := d.owners(ctx, ids)
	if err != nil {
		return err
	}
	for i, o := range owners {
		if o.Offset != worker.None {
			return fmt.Errorf("%s was taken while the plan was made: make it again", ids[i])
		}
	}
	return nil
}

// places lists the offsets of a plan's items by partition.
func (p *ReplayPlan) places() map[int]map[int64]*ReplayItem {
	all := map[int]map[int64]*ReplayItem{}
	for i := range p.New {
		it := &p.New[i]
		if all[it.Partition] == nil {
			all[it.Partition] = map[int64]*ReplayItem{}
		}
		all[it.Partition][it.Offset] = it
	}
	return all
}

// bounds are the first and the last offset of a partition's items.
func bounds(items map[int64]*ReplayItem) (first, last int64) {
	sorted := slices.Sorted(maps.Keys(items))
	return sorted[0], sorted[len(sorted)-1]
}
