package schema_test

import (
	"fmt"
	"time"

	"github.com/toplu/toplu/schema"
)

// An order system asks for a payout.
func ExampleEncodeRequest() {
	r := &schema.Request{
		PayoutID:  "order-1042-seller-77",
		Recipient: schema.Recipient{Type: schema.MemberID, Value: "2228853"},
		Amount:    schema.Amount{Minor: 10050, Currency: schema.TRY},
	}
	m := schema.EncodeRequest(r, "event-1", time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC))
	fmt.Printf("%s\n%s\n", m.Key, m.Value)
	// Output:
	// order-1042-seller-77
	// {"payoutId":"order-1042-seller-77","recipient":{"type":"MEMBER_ID","value":"2228853"},"amount":{"value":"100.50","currency":"TRY"}}
}

// A mistake is explained, every mistake at once, without repeating what may be
// about a person.
func ExampleDecodeRequest() {
	m := schema.Message{Value: []byte(`{"payoutId":"order-1042","recipient":{"type":"IBAN","value":"TR00"},"amount":{"value":"1.234","currency":"TRY"}}`)}
	_, err := schema.DecodeRequest(m, nil)
	fmt.Println(err)
	// Output:
	// invalid_request: recipient.value must be TR and 24 digits for a Turkish IBAN; recipient.name is missing: an IBAN is paid with its owner's name; amount.value has more decimals than the currency (2)
}

// A ledger books what is final, once for each event id.
func ExampleDecodeStatus() {
	m := schema.EncodeStatus(&schema.Status{
		PayoutID: "order-1042", Merchant: "default", Sequence: 3, PreviousStatus: schema.Submitted, Status: schema.Paid,
		Amount: schema.Amount{Minor: 10050, Currency: schema.TRY},
	})
	s, err := schema.DecodeStatus(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.PayoutID, s.Status, s.Status.Final(), s.Amount)
	// Output:
	// order-1042 paid true 100.50 TRY
}
