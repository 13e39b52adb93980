//go:build integration

package e2e_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSample pays the four items of iyzico's published sample, written by a
// foreign client in both modes of the CloudEvents binding.
func TestSample(t *testing.T) {
	for _, version := range []string{realparts.Kafka42, realparts.Kafka39} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, version)
			l := w.follow()
			w.run("run")
			requests := []*request{
				{PayoutID: "ext-65656", Recipient: recipient{"IBAN", "TR920086402100005482911108", "John Doe"}, Amount: amount{"100", "TRY"}},
				{PayoutID: "ext-9545455", Recipient: recipient{"MEMBER_ID", "2228853", ""}, Amount: amount{"8000.00", "TRY"}},
				{PayoutID: "ext-545454542", Recipient: recipient{"IDENTITY_NUMBER", "22222222220", ""}, Amount: amount{"20000", "TRY"}},
				{PayoutID: "ext-50070945", Recipient: recipient{"PHONE", "+905555555555", ""}, Amount: amount{"7000", "TRY"}},
			}
			for i, kurus := range []int64{100_00, 8000_00, 20000_00, 7000_00} {
				r := requests[i]
				r.Purpose = "SALARY"
				w.shop.ask(r, kurus)
				if i == 1 {
					w.put(r.PayoutID, r.structured(), "content-type=application/cloudevents+json")
					continue
				}
				w.put(r.PayoutID, r.data(), r.binary()...)
			}
			v := w.judge(l, 20*time.Second)
			if diff := cmp.Diff(map[string]int{"paid": 4}, v.ByStatus); diff != "" {
				t.Error(diff)
			}
			moved := map[string]string{}
			for _, transfer := range w.books().Transfers {
				moved[transfer.ItemExternalID] = transfer.Amount
			}
			want := map[string]string{"ext-65656": "100.00", "ext-9545455": "8000.00", "ext-545454542": "20000.00", "ext-50070945": "7000.00"}
			if diff := cmp.Diff(want, moved); diff != "" {
				t.Error(diff)
			}
			if letters := w.read("payout.requests.dlq"); len(letters) > 0 {
				t.Errorf("%d dead letters: %v", len(letters), letters[0].Headers)
			}
		})
	}
}
