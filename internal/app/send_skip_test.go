package app_test

import "testing"

// A send that ended early says how many were certain; --skip goes on from there.
func TestSendGoesOn(t *testing.T) {
	t.Parallel()
	env := fakeKafka(t)
	run(t, env, "", "topics", "create").want(t, 0, "created topic payout.requests", "")
	path := file(t, "payouts.csv", "payoutId,amount,currency,recipientType,recipientValue\n"+
		"order-1,1.00,TRY,PHONE,+905350000000\norder-2,2.00,TRY,PHONE,+905350000000\norder-3,3.00,TRY,PHONE,+905350000000\n")
	run(t, env, "", "send", path, "--skip", "2").want(t, 0, "sent to payout.requests", "")
	_, events := sent(t, env)
	if len(events) != 1 || events[0].Request.PayoutID != "order-3" {
		t.Errorf("%d events were sent", len(events))
	}
	run(t, env, "", "send", path, "--skip", "4").want(t, 2, "", "has 3 requests")
}
