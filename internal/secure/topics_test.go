//go:build integration && slow

package secure_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// forges has the order system of one merchant, which may write to its own topic
// alone, ask for payouts in its own name and in another's, and the other way round.
func (p *place) forges(t *testing.T) {
	ask := func(user, topic, id, merchant string) error {
		data := fmt.Sprintf(`{"payoutId":%q,"merchant":%q,"recipient":{"type":"PHONE","value":"+905350000000"},"amount":{"value":"1.00","currency":"TRY"}}`, id, merchant)
		_, err := p.kcat(user, []byte(data), "-P", "-t", topic, "-k", id, "-X", "message.timeout.ms=5000")
		return err
	}
	const own = "payout.requests.market"
	p.asked["market-1"] = 100
	p.must(ask("market-orders", own, "market-1", "market"))
	p.must(ask("market-orders", own, "forged-1", "default"))
	p.must(ask("order-system", "payout.requests", "forged-2", "market"))
	if err := ask("market-orders", "payout.requests", "forged-3", "default"); err == nil || !strings.Contains(err.Error(), "uthorization failed") {
		t.Errorf("market-orders writes to payout.requests: %v", err)
	}
	p.balanced(time.Minute)
	p.eventually(time.Minute, func() string {
		if v := p.verdict(); v.Refused != 2 {
			return v.String()
		}
		return ""
	})
	oncall := p.as("toplu-oncall", "TOPLU_REDIS_USERNAME=toplu-reader", "TOPLU_REDIS_PASSWORDFILE=secrets/redis-reader")
	for id, topic := range map[string]string{"forged-1": own, "forged-2": "payout.requests"} {
		if out, status := p.toplu(oncall, "explain", id); status != 0 || !strings.Contains(out, "not seen") || !strings.Contains(out, "wrong_topic") || !strings.Contains(out, topic+"/") {
			t.Errorf("explain %s: exit status %d:\n%s", id, status, out)
		}
	}
	if out, status := p.toplu(oncall, "status"); status != 0 || !strings.Contains(out, own) {
		t.Errorf("status: exit status %d:\n%s", status, out)
	}
}
