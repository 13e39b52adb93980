package conformance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/toplu/toplu/schema"
)

// acts is how many there are; run.go says what happens in each.
const acts = 4

// A Play is a stream of status events in four acts, and what the books should
// be after it. It is read-only once composed.
type Play struct {
	Acts [acts][]schema.Message

	payouts []payout
	curtain [acts][]string // ids whose last event is the last of a partition in an act
}

// A payout is one with a story.
type payout struct {
	id         string
	story      *Story // nil for one that ends an act
	amount     int64  // minor units
	commission int64
	at         time.Time
}

const (
	// commission is iyzico's in the published samples.
	commission = 2000
	// curtainEvents is how many events a payout has that ends an act.
	curtainEvents = 3
)

// inexact are amounts that come out a kuruş less when a decimal text is read as
// a floating-point number, multiplied by 100 and cut; and the largest amount
// that a request may have, which needs more than 32 bits.
var inexact = []int64{115, 435, 829, 1999, 410, 99_999_999_999_999}

// MinPayouts is how many payouts a play has at least: one for every story.
var MinPayouts = len(stories)

// Compose writes a play of n payouts for a topic of some partitions. The same
// seed writes the same play.
func Compose(n, partitions int, seed uint64, at time.Time) (*Play, error) {
	if n < MinPayouts || partitions < 1 {
		return nil, fmt.Errorf("conformance: %d payouts on %d partitions: at least %d and 1 are needed", n, partitions, MinPayouts)
	}
	p, r := &Play{}, rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // a play, no secret
	var queues [acts][][]schema.Message
	for i := range n {
		story := &stories[i%len(stories)]
		q := payout{
			id:    fmt.Sprintf("c%d-%d-%s", seed, i, slug(story.Name)),
			story: story, amount: int64(1000 + 137*i%500_000), commission: commission, at: at.Add(time.Duration(i) * time.Second),
		}
		if story.exact {
			q.amount = inexact[i/len(stories)%len(inexact)]
		}
		p.payouts = append(p.payouts, q)
		queues[story.act] = append(queues[story.act], q.messages(story.first))
		queues[acts-1] = append(queues[acts-1], q.messages(story.late))
	}
	for act := range acts {
		p.Acts[act] = shuffle(r, queues[act])
		for partition := range partitions {
			last, err := lastOf(act, partition, partitions, seed, at)
			if err != nil {
				return nil, err
			}
			p.payouts = append(p.payouts, last)
			p.curtain[act] = append(p.curtain[act], last.id)
			for sequence := range curtainEvents {
				p.Acts[act] = append(p.Acts[act], last.event(1+sequence))
			}
		}
	}
	return p, nil
}

// untilCurtain divides an act: what ends it is told when nobody is to be killed
// any more, so that a ledger that loses events comes to the end and is judged.
func (p *Play) untilCurtain(act int) (messages, end []schema.Message) {
	n := len(p.Acts[act]) - curtainEvents*len(p.curtain[act])
	return p.Acts[act][:n], p.Acts[act][n:]
}

// plain is the story of the payouts that end acts.
var plain = &stories[0]

// lastOf makes a payout whose id hashes to a partition.
func lastOf(act, partition, partitions int, seed uint64, at time.Time) (payout, error) {
	for i := range 1000 * partitions {
		id := fmt.Sprintf("c%d-end%d-%d-%d", seed, act, partition, i)
		if schema.Shard(id, partitions) == partition {
			return payout{id: id, story: plain, amount: 100, commission: commission, at: at}, nil
		}
	}
	return payout{}, errors.New("conformance: no id for a partition")
}

func slug(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c == ' ' {
			b[i] = '-'
		}
	}
	return string(b)
}

// shuffle makes one stream of many, each in its own order.
func shuffle(r *rand.Rand, queues [][]schema.Message) []schema.Message {
	var turns []int // an entry for every message: whose turn it is
	for i, q := range queues {
		for range q {
			turns = append(turns, i)
		}
	}
	r.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	stream := make([]schema.Message, len(turns))
	for i, turn := range turns {
		stream[i], queues[turn] = queues[turn][0], queues[turn][1:]
	}
	return stream
}

func (p *payout) messages(sequences []int) []schema.Message {
	messages := make([]schema.Message, len(sequences))
	for i, sequence := range sequences {
		messages[i] = p.event(sequence)
	}
	return messages
}

// event writes the payout's event with a sequence, the same each time.
func (p *payout) event(sequence int) schema.Message {
	switch sequence {
	case refused:
		return schema.EncodeRefusal(&schema.Refusal{
			PayoutID: p.id, Merchant: "default", Reason: schema.Reason{Code: schema.CodeInvalid, Text: "recipient.value is no IBAN"},
			OccurredAt: p.at, Source: schema.Source{Topic: "payout.requests", Offset: p.at.Unix()},
		})
	case foreign:
		return p.foreign("payout.annotated.v2", p.seeming())
	case seeming:
		return p.foreign("payout.annotated.v1", p.seeming())
	case noted:
		return p.foreign("payout.noted.v1", `{"payout":`+strconv.Quote(p.id)+`,"amount":"large","notes":[{"sequence":"first"}]}`)
	}
	s := &schema.Status{
		PayoutID: p.id, Merchant: "default", Sequence: sequence, Status: p.story.statuses[sequence-1],
		Amount: schema.Amount{Minor: p.amount, Currency: schema.TRY}, OccurredAt: p.at.Add(time.Duration(sequence) * time.Minute),
		Source: schema.Source{Topic: "payout.requests", Offset: p.at.Unix()}, Final: p.story.statuses[sequence-1] == inventedEnd,
	}
	if sequence > 1 {
		s.PreviousStatus = p.story.statuses[sequence-2]
		s.BatchID = "b" + p.id
	}
	if s.Status != schema.Accepted {
		s.Commission = &schema.Amount{Minor: p.commission, Currency: schema.TRY} // iyzico tells it for every item
	}
	m := schema.EncodeStatus(s)
	if p.story.grown {
		m.Value = append(m.Value[:len(m.Value)-1], `,"addedLater":{"fields":["of any","shape"],"status":"paid"}}`...)
		m.Headers = append(m.Headers, schema.Header{Key: "ce_addedlater", Value: []byte("1")})
	}
	return m
}

// seeming is data that looks like a payment to those who do not ask for the type.
func (p *payout) seeming() string {
	return `{"payoutId":` + strconv.Quote(p.id) + `,"sequence":99,"status":"paid","final":true,` +
		`"amount":{"value":"1.00","currency":"TRY"},"commission":{"value":"1.00","currency":"TRY"}}`
}

// foreign writes an event of a type that is not in the contract yet.
func (p *payout) foreign(kind, data string) schema.Message {
	header := func(key, value string) schema.Header { return schema.Header{Key: key, Value: []byte(value)} }
	return schema.Message{
		Key: []byte(p.id), Value: []byte(data),
		Headers: []schema.Header{
			header("ce_specversion", "1.0"), header("ce_id", p.id+"-"+kind), header("ce_source", "toplu"),
			header("ce_type", kind), header("ce_subject", p.id), header("content-type", "application/json"),
		},
	}
}
