package schema_test

import (
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
)

// Claims hold this digest for ever: it may never change.
func TestContentGolden(t *testing.T) {
	t.Parallel()
	d := goldenRequest().Content()
	checkGolden(t, "content.txt", []byte(hex.EncodeToString(d[:])))
}

func TestContentIsWhatMakesTwoRequestsTheSame(t *testing.T) {
	t.Parallel()
	base := goldenRequest().Content()
	for name, tt := range map[string]struct {
		same   bool
		change func(*schema.Request)
	}{
		"payout id":   {true, func(r *schema.Request) { r.PayoutID = "x" }},
		"name":        {true, func(r *schema.Request) { r.Recipient.Name = "x" }},
		"purpose":     {true, func(r *schema.Request) { r.Purpose = "BONUS" }},
		"description": {true, func(r *schema.Request) { r.Description = "x" }},
		"metadata":    {true, func(r *schema.Request) { r.Metadata = nil }},
		"merchant":    {false, func(r *schema.Request) { r.Merchant = "x" }},
		"type":        {false, func(r *schema.Request) { r.Recipient.Type = schema.Phone }},
		"value":       {false, func(r *schema.Request) { r.Recipient.Value = "x" }},
		"amount":      {false, func(r *schema.Request) { r.Amount.Minor++ }},
		"currency":    {false, func(r *schema.Request) { r.Amount.Currency = schema.USD }},
		"moved border": {false, func(r *schema.Request) {
			r.Merchant, r.Recipient.Type = "defaultI", "BAN"
		}},
	} {
		r := goldenRequest()
		tt.change(r)
		if got := r.Content() == base; got != tt.same {
			t.Errorf("%s changed: same content %v, want %v", name, got, tt.same)
		}
	}
}

// What is written is read as it was, and a plan gives its requests back.
func TestRequestRoundTrip(t *testing.T) {
	t.Parallel()
	want := goldenRequest()
	ev, err := schema.DecodeRequest(schema.EncodeRequest(want, "e-1", at), nil)
	if diff := cmp.Diff(schema.Event{Request: *want, ID: "e-1", Time: at}, ev); diff != "" || err != nil {
		t.Fatalf("error %v, event (-want +got):\n%s", err, diff)
	}
	p := &schema.Plan{Merchant: want.Merchant, Purpose: want.Purpose, Currency: want.Amount.Currency, Items: []schema.PlanItem{{
		PayoutID: want.PayoutID, Recipient: want.Recipient, Minor: want.Amount.Minor, Description: want.Description, Metadata: want.Metadata,
	}}}
	if diff := cmp.Diff(*want, p.Request(0)); diff != "" {
		t.Errorf("from the plan (-want +got):\n%s", diff)
	}
}

func TestEncodeRequestGolden(t *testing.T) {
	t.Parallel()
	checkGolden(t, "request.txt", message(schema.EncodeRequest(goldenRequest(), "e-1", at)))
}
