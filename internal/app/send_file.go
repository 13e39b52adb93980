package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// A badLine is what is wrong, or odd, in one line of the input. It never
// repeats what stands there.
type badLine struct {
	Line     int      `json:"line"`
	Problems []string `json:"problems"`
}

// String is the line's problems in one line.
func (b badLine) String() string {
	return fmt.Sprintf("line %d: %s", b.Line, strings.Join(b.Problems, "; "))
}

// A requestBatch is a checked file.
type requestBatch struct {
	topicOf       func(merchant string) string
	messages      []kafkaio.Addressed
	duplicates    int
	bad, warnings []badLine
	sums          map[schema.Currency]int64 // minor units
}

// topics counts the requests for each topic.
func (b *requestBatch) topics() map[string]int {
	n := map[string]int{}
	for _, m := range b.messages {
		n[m.Topic]++
	}
	return n
}

func (b *requestBatch) totals() map[string]string {
	totals := map[string]string{}
	for currency, sum := range b.sums {
		totals[string(currency)] = schema.FormatMinor(sum)
	}
	return totals
}

// A row is the data of one request as JSON, or why there is none.
type row struct {
	line int
	data []byte
	err  error
}

// checkRequests reads the whole input and makes events of it. The error is for
// an input that is no list of requests at all.
func checkRequests(ctx context.Context, input []byte, rules *schema.Rules, topicOf func(merchant string) string) (*requestBatch, error) {
	input = bytes.TrimPrefix(input, []byte("\ufeff")) // spreadsheets begin a file with it
	if err := checkEncoding(input); err != nil {
		return nil, err
	}
	rows, err := rowsOf(input)
	if err != nil {
		return nil, err
	}
	b := &requestBatch{topicOf: topicOf, bad: []badLine{}, warnings: []badLine{}, sums: map[schema.Currency]int64{}}
	first := map[string]place{}
	own := withoutDefaults(rules)
	for r := range rows {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		b.add(r, own, first)
	}
	if len(b.messages) == 0 && len(b.bad) == 0 {
		return nil, errors.New("there are no requests in it")
	}
	return b, nil
}

// checkEncoding refuses what is not UTF-8: another encoding would have to be
// guessed, and a name that is guessed wrong is another name.
func checkEncoding(input []byte) error {
	if bytes.IndexByte(input, 0) >= 0 {
		return errors.New("it is UTF-16, or no text at all: save it as UTF-8 (in Excel: CSV UTF-8)")
	}
	first, n, line := 0, 0, 0
	for text := range bytes.Lines(input) {
		if line++; utf8.Valid(text) {
			continue
		}
		if n++; n == 1 {
			first = line
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("line %d is not UTF-8 (%d of %d lines are not): it may be Windows-1254 or ISO 8859-9, which are not read; save it as UTF-8 (in Excel: CSV UTF-8)", first, n, line)
}

// withoutDefaults leaves a merchant's defaults to the service, so that the
// event is the same whoever sends it.
func withoutDefaults(rules *schema.Rules) *schema.Rules {
	if rules.Merchant == nil {
		return rules
	}
	return &schema.Rules{CheckDigits: rules.CheckDigits, Merchant: func(name string) (schema.MerchantRules, bool) {
		_, ok := rules.Merchant(name)
		return schema.MerchantRules{}, ok
	}}
}

// A place is where a payout id was first seen, and with which content.
type place struct {
	line    int
	content schema.Digest
}

func (b *requestBatch) add(r row, rules *schema.Rules, first map[string]place) {
	wrong := func(problems ...string) { b.bad = append(b.bad, badLine{r.line, problems}) }
	if r.err != nil {
		wrong(r.err.Error())
		return
	}
	event, err := schema.DecodeRequest(schema.Message{Value: r.data}, rules)
	if err != nil {
		wrong(problemsOf(err)...)
		return
	}
	request := &event.Request
	seen, again := first[request.PayoutID]
	switch content := request.Content(); {
	case again && seen.content == content:
		b.duplicates++
		return
	case again:
		wrong(fmt.Sprintf("payoutId is that of line %d, with another merchant, recipient or amount: every payout needs an id of its own", seen.line))
		return
	case b.sums[request.Amount.Currency] > math.MaxInt64-request.Amount.Minor:
		wrong("amount takes the sum of the file above what can be")
		return
	default:
		first[request.PayoutID] = place{r.line, content}
	}
	if len(event.Warnings) > 0 {
		b.warnings = append(b.warnings, badLine{r.line, event.Warnings})
	}
	b.sums[request.Amount.Currency] += request.Amount.Minor
	b.messages = append(b.messages, kafkaio.Addressed{Topic: b.topicOf(request.Merchant), Message: kafkaio.Messages(requestMessage(request, time.Now()))[0]})
}

// requestMessage makes the event. Its id is a hash of its content, so that a
// file that is sent again is the same events again.
func requestMessage(r *schema.Request, at time.Time) schema.Message {
	data := schema.EncodeRequest(r, "", at).Value
	hash := sha256.Sum256(data)
	return schema.EncodeRequest(r, hex.EncodeToString(hash[:16]), at)
}

// problemsOf takes the reasons for a refusal apart.
func problemsOf(err error) []string {
	var invalid *schema.Invalid
	if !errors.As(err, &invalid) {
		return []string{err.Error()}
	}
	var texts []string
	for _, p := range invalid.Problems {
		texts = append(texts, strings.TrimSpace(p.Field+" "+p.Text))
	}
	return texts
}

// rowsOf tells JSON lines from CSV by their first character.
func rowsOf(input []byte) (iter.Seq[row], error) {
	if start := bytes.TrimLeft(input, " \t\r\n"); len(start) > 0 && start[0] == '{' {
		return jsonRows(input), nil
	}
	return csvRows(input)
}

// jsonRows takes an object a line, and leaves out empty lines.
func jsonRows(input []byte) iter.Seq[row] {
	return func(yield func(row) bool) {
		line := 0
		for text := range bytes.Lines(input) {
			line++
			text = bytes.TrimSpace(text)
			if len(text) > 0 && !yield(row{line: line, data: text}) {
				return
			}
		}
	}
}
