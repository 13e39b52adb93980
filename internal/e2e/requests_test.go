//go:build integration

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/toplu/toplu/internal/e2e"
)

// A request is a payout as a marketplace asks for it, all in fields that are
// written as they stand.
type request struct {
	PayoutID  string    `json:"payoutId"`
	Merchant  string    `json:"merchant,omitempty"`
	Purpose   string    `json:"purpose,omitempty"`
	Recipient recipient `json:"recipient"`
	Amount    amount    `json:"amount"`
	Metadata  any       `json:"metadata,omitempty"`

	Description string `json:"description,omitempty"`
}

type recipient struct {
	Type  string `json:"type"`
	Value string `json:"value"`
	Name  string `json:"name,omitempty"`
}

type amount struct {
	Value    string `json:"value"`
	Currency string `json:"currency"`
}

// data is the request as JSON.
func (r *request) data() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return b
}

// structured is the request as a CloudEvent in structured mode, in one line.
func (r *request) structured() []byte {
	return fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":"/shop","type":"payout.requested.v1","datacontenttype":"application/json","data":%s}`, "ev-"+r.PayoutID, r.data())
}

// binary are the headers of the request's CloudEvent in binary mode.
func (r *request) binary() []string {
	return []string{"ce_specversion=1.0", "ce_id=ev-" + r.PayoutID, "ce_source=/shop", "ce_type=payout.requested.v1", "content-type=application/json"}
}

// A shop makes requests, each for another recipient, and remembers what it asked
// for and what must never be told.
type shop struct {
	asked    map[string]int64
	personal e2e.Personal
	made     atomic.Int64
}

func newShop() *shop { return &shop{asked: map[string]int64{}, personal: e2e.Personal{}} }

// make returns n new requests for a merchant, of all four recipient types.
func (s *shop) make(merchant string, n int) []*request {
	all := make([]*request, n)
	for i := range all {
		n := int(s.made.Add(1))
		kurus := int64(101 + n*37%90000)
		all[i] = &request{
			PayoutID: fmt.Sprintf("pay-%06d", n), Merchant: merchant, Recipient: s.recipient(n),
			Amount: amount{fmt.Sprintf("%d.%02d", kurus/100, kurus%100), "TRY"}, Metadata: map[string]string{"order": fmt.Sprint("order-", n)},
		}
		s.ask(all[i], kurus)
	}
	return all
}

func (s *shop) ask(r *request, kurus int64) {
	s.asked[r.PayoutID] = kurus
	s.personal.Add(r.Recipient.Type, r.Recipient.Value)
	s.personal.Add("name", r.Recipient.Name)
}

// recipient returns the n-th person, with right check digits.
func (s *shop) recipient(n int) recipient {
	switch n % 4 {
	case 0:
		return recipient{"PHONE", fmt.Sprintf("+905%09d", n), ""}
	case 1:
		return recipient{"MEMBER_ID", fmt.Sprintf("81%08d", n), ""}
	case 2:
		return recipient{"IDENTITY_NUMBER", identity(n), "Çiğdem Qk" + strconv.FormatInt(int64(n), 36) + "oğlu"}
	default:
		return recipient{"IBAN", iban(n), "Şükrü Zx" + strconv.FormatInt(int64(n), 36) + "ğil"}
	}
}

// iban returns a Turkish IBAN with check digits after ISO 7064.
func iban(n int) string {
	account := fmt.Sprintf("000640%016d", n)
	rest := 0
	for _, c := range account + "292700" { // TR00 as digits
		rest = (rest*10 + int(c-'0')) % 97
	}
	return fmt.Sprintf("TR%02d%s", 98-rest, account)
}

// identity returns an identity number whose last two digits are right.
func identity(n int) string {
	text := fmt.Sprintf("1%08d", n)
	odd, even := 0, 0
	for i, c := range text {
		if i%2 == 0 {
			odd += int(c - '0')
		} else {
			even += int(c - '0')
		}
	}
	tenth := ((7*odd-even)%10 + 10) % 10
	return text + strconv.Itoa(tenth) + strconv.Itoa((odd+even+tenth)%10)
}

// lines are requests as kcat reads them with keyed: a line each, in structured
// mode, the payout id as key unless as says otherwise.
func lines(requests []*request, as func(i int) string) []byte {
	var b bytes.Buffer
	for i, r := range requests {
		key := r.PayoutID
		if as != nil {
			key = as(i)
		}
		fmt.Fprintf(&b, "%s|%s\n", key, r.structured())
	}
	return b.Bytes()
}

var keyed = append([]string{"-P", "-t", "payout.requests", "-K", "|", "-H", "content-type=application/cloudevents+json; charset=UTF-8"}, java...)

// send writes requests by one kcat, keyed by payout id.
func (w *world) send(requests []*request) {
	w.t.Helper()
	w.kcat(lines(requests, nil), keyed...)
}

// sendAs writes requests with other keys, and flags of kcat.
func (w *world) sendAs(requests []*request, as func(i int) string, flags ...string) {
	w.t.Helper()
	w.kcat(lines(requests, as), slices.Concat(keyed, flags)...)
}

// load writes requests without end, n of them ten times a second, until the
// returned function is called. What kcat could not write for sure it writes
// again. With chance, it also writes some of the earlier ones once more, under
// other keys and into other partitions. The shop is the load's until then.
func (w *world) load(n int, chance *rand.Rand) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	write := func(input []byte, flags ...string) {
		for w.t.Context().Err() == nil {
			if _, err := w.tryKcat(w.t.Context(), input, slices.Concat(keyed, flags)...); err == nil {
				return
			}
		}
	}
	go func() {
		defer close(done)
		var all [][]*request
		for i := 0; ctx.Err() == nil; i++ {
			all = append(all, w.shop.make([]string{"default", "market"}[i%2], n))
			write(lines(all[i], nil))
			if chance != nil && chance.IntN(5) == 0 {
				again := all[chance.IntN(len(all))]
				write(lines(again, func(int) string { return strconv.Itoa(chance.IntN(1000)) }), "-p", strconv.Itoa(chance.IntN(4)))
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
