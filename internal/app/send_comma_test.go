package app_test

import (
	"strings"
	"testing"
)

// A file as a Turkish spreadsheet writes it: a byte order mark, semicolons, and
// decimal commas. What could be read in two ways is refused.
func TestSendDecimalCommas(t *testing.T) {
	t.Parallel()
	env := fakeKafka(t)
	run(t, env, "", "topics", "create", "--partitions", "1").want(t, 0, "created topic payout.requests\n", "")
	csv := func(amounts ...string) string {
		lines := []string{"\ufeffpayoutId;recipientType;recipientValue;amount;currency"}
		for i, amount := range amounts {
			lines = append(lines, "order-"+string(rune('a'+i))+";PHONE;+905555555555;"+amount+";TRY")
		}
		return file(t, "payouts.csv", strings.Join(lines, "\r\n")+"\r\n")
	}
	run(t, env, "", "send", csv("100,50", "7,5", "3", "1.25")).want(t, 0, "4 requests (112.25 TRY) sent", "")
	_, events := sent(t, env)
	for i, want := range []int64{10050, 750, 300, 125} {
		if got := events[i].Request.Amount.Minor; got != want {
			t.Errorf("amount %d: %d minor units, want %d", i, got, want)
		}
	}
	for _, amount := range []string{"1.234,50", "1,234", "1,234.50", ",50", "100,"} {
		run(t, env, "", "send", "--dry-run", csv(amount)).want(t, 1, "", "line 2: amount.value")
	}
	comma := strings.ReplaceAll("payoutId;recipientType;recipientValue;amount;currency\norder-z;PHONE;+905555555555;\"100,50\";TRY\n", ";", ",")
	run(t, env, "", "send", "--dry-run", file(t, "payouts.csv", comma)).want(t, 1, "", "line 2: amount.value")
}
