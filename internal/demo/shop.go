package demo

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
)

// An Order is one request that the shop writes, and what it expects of it.
type Order struct {
	Message schema.Message
	ID      string
	Minor   int64
	Kind    Kind
}

// A Kind is what becomes of an order.
type Kind string

// The kinds, by what the service or iyzico makes of them.
const (
	Pays      Kind = "pays"
	Fails     Kind = "fails"     // the bank refuses it, the money stays away
	Returns   Kind = "returns"   // the bank refuses it, the money comes back
	Rejects   Kind = "rejects"   // iyzico's init refuses it
	Refused   Kind = "refused"   // invalid: it never becomes a payout
	Duplicate Kind = "duplicate" // the same request again
	Conflict  Kind = "conflict"  // a used id with another amount
)

// fateOf has iyzico treat a payout as its id says.
func fateOf(id string) iyzicotest.Fate {
	switch {
	case strings.Contains(id, string(Fails)):
		return iyzicotest.FateFailed
	case strings.Contains(id, string(Returns)):
		return iyzicotest.FateReturned
	case strings.Contains(id, string(Rejects)):
		return iyzicotest.FateInvalid
	}
	return iyzicotest.FateByDial // paid, unless somebody turns a dial
}

// Orders makes n requests of every kind and every type of recipient, in an
// order that is always the same.
func Orders(n int, at time.Time) []Order {
	orders := make([]Order, 0, n)
	for i := range n {
		switch {
		case i >= 10 && i%20 == 7:
			again := orders[i-10]
			orders = append(orders, Order{Message: again.Message, ID: again.ID, Minor: again.Minor, Kind: Duplicate})
		case i >= 10 && i%100 == 53:
			orders = append(orders, order(i, orders[i-10].ID, Conflict, at))
		default:
			kind := kindOf(i)
			orders = append(orders, order(i, fmt.Sprintf("demo-%s-%d", kind, i), kind, at))
		}
	}
	return orders
}

func kindOf(i int) Kind {
	switch i % 50 {
	case 11:
		return Fails
	case 22:
		return Returns
	case 33:
		return Rejects
	case 44:
		return Refused
	}
	return Pays
}

func order(i int, id string, kind Kind, at time.Time) Order {
	r := schema.Request{
		PayoutID: id, Merchant: "default", Purpose: "SETTLEMENT", Recipient: recipients[i%len(recipients)],
		Amount:      schema.Amount{Minor: int64(1000 + i*137%500_000), Currency: schema.TRY},
		Description: schema.Private(fmt.Sprintf("Order %d", i)), Metadata: json.RawMessage(fmt.Sprintf(`{"orderId":"%d"}`, i)),
	}
	if kind == Refused {
		r.Recipient.Value = "TR00"
	}
	return Order{Message: schema.EncodeRequest(&r, fmt.Sprintf("demo-event-%d", i), at), ID: id, Minor: r.Amount.Minor, Kind: kind}
}

// recipients are one of each type; the values are iyzico's samples and the
// bank association's worked example.
var recipients = []schema.Recipient{
	{Type: schema.IBAN, Value: "TR470000100100000350930001", Name: "Ayşe Yılmaz"},
	{Type: schema.MemberID, Value: "2228853"},
	{Type: schema.IdentityNumber, Value: "22222222220"},
	{Type: schema.Phone, Value: "+905555555555"},
}
