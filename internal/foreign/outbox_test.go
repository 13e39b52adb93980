//go:build integration && slow

package foreign_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowOutbox has a shop take orders while its relay is killed time and
// again, and a second relay runs beside it. Every order's payout is asked for,
// in order, and none that was rolled back.
func TestSlowOutbox(t *testing.T) {
	s := &service{brokers: startKafka(t, realparts.Kafka42)}
	url := startPostgres(t)
	env := []string{"DATABASE_URL=" + url, "KAFKA_BROKERS=" + s.brokers}
	run(t, []string{"TOPLU_KAFKA_BROKERS=" + s.brokers, "TOPLU_KAFKA_MININSYNCREPLICAS=1"}, program("toplu"), "topics", "create", "--partitions", "1")
	beside := start(t, env, program("outbox"), "relay")
	eventually(t, time.Minute, func() string { // the relay has made the tables
		if _, problems, err := try(t, nil, nil, "psql", url, "-v", "ON_ERROR_STOP=1", "-qc", "INSERT INTO sellers VALUES ('s1', 'Ayşe Yılmaz', 'TR470000100100000350930001'), ('s2', '', 'TR00') ON CONFLICT DO NOTHING"); err != nil {
			return problems
		}
		return ""
	})
	killed := start(t, env, program("outbox"), "relay")
	var want []string
	order := func(id, seller, amount string) {
		run(t, env, program("outbox"), "order", id, seller, amount)
	}
	for i := range 40 {
		id := fmt.Sprintf("o%03d", i)
		order(id, "s1", "12.5")
		want = append(want, id+":s1")
		if i%8 == 7 {
			killed.kill()
			killed = start(t, env, program("outbox"), "relay")
		}
		if i == 20 {
			order("wrong", "s2", "1.00") // a seller whose IBAN is none: put aside, and nobody waits for it
		}
	}
	// Taken twice, the second is refused whole: no second payout. And when it is the
	// payout that cannot be asked for, the order that was written before is undone.
	for _, refused := range []string{"o000", "o:1", "order 7"} {
		if _, problems, err := try(t, env, nil, program("outbox"), "order", refused, "s1", "99"); err == nil || !strings.Contains(problems, refused) {
			t.Errorf("order %s: %v %s", refused, err, problems)
		}
	}
	if taken := query(t, url, "SELECT order_id FROM orders WHERE amount = 99"); taken != nil {
		t.Errorf("orders without a payout: %v", taken)
	}
	eventually(t, time.Minute, func() string {
		if left := query(t, url, "SELECT payout_id FROM payout_outbox WHERE sent_at IS NULL AND refused IS NULL"); left != nil {
			return fmt.Sprintf("%v are not sent", left)
		}
		return ""
	})
	var got []string
	for _, r := range kcatRead(t, s, "payout.requests") {
		if !slices.Contains(got, r.Key) { // sent again after a kill
			got = append(got, r.Key)
		}
		if !strings.Contains(string(r.Value), `"value":"12.50"`) {
			t.Errorf("%s", r.Value)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("asked for %v\nwant %v", got, want)
	}
	aside := query(t, url, "SELECT payout_id, refused FROM payout_outbox WHERE refused IS NOT NULL")
	if len(aside) != 1 || !strings.HasPrefix(aside[0], "wrong:s2|") || !strings.Contains(aside[0], "recipient.") || strings.Contains(aside[0], "TR00") {
		t.Errorf("put aside: %v", aside)
	}

	killRelaysAtWork(t, s, url, env, beside, killed)

	// As after a crash between Publish and the commit: everything is sent again,
	// as the very same events.
	sent := kcatRead(t, s, "payout.requests")
	before := eventIDs(sent)
	query(t, url, "UPDATE payout_outbox SET sent_at = NULL WHERE refused IS NULL")
	eventually(t, time.Minute, func() string {
		if n := len(kcatRead(t, s, "payout.requests")); n < len(sent)+len(before) {
			return fmt.Sprintf("%d requests", n)
		}
		return ""
	})
	if after := eventIDs(kcatRead(t, s, "payout.requests")); !slices.Equal(before, after) {
		t.Errorf("events sent again have other ids: %d, then %d", len(before), len(after))
	}
}

// killRelaysAtWork gives the relays more than they can send at once, and kills
// whoever is sending. What they ask for stays in order.
func killRelaysAtWork(t *testing.T, s *service, url string, env []string, relays ...*background) {
	t.Helper()
	const many = 10_000
	unsent := func() string {
		return query(t, url, "SELECT count(*) FROM payout_outbox WHERE sent_at IS NULL AND refused IS NULL")[0]
	}
	query(t, url, fmt.Sprintf(`BEGIN;
		INSERT INTO orders SELECT 'm' || lpad(n::text, 5, '0'), 's1', 12.5 FROM generate_series(1, %d) n;
		INSERT INTO payout_outbox (payout_id, order_id, seller_id, amount) SELECT order_id || ':s1', order_id, 's1', amount FROM orders WHERE order_id LIKE 'm%%' ORDER BY order_id;
		COMMIT`, many))
	kills := 0
	eventually(t, 2*time.Minute, func() string {
		left := unsent()
		if left == "0" {
			return ""
		}
		if kills < 4 {
			kills++
			for _, r := range relays {
				r.kill()
			}
			relays = []*background{start(t, env, program("outbox"), "relay"), start(t, env, program("outbox"), "relay")}
		}
		return left + " are not sent"
	})
	seen, last := map[string]bool{}, ""
	for _, r := range kcatRead(t, s, "payout.requests") {
		if !strings.HasPrefix(r.Key, "m") || seen[r.Key] {
			continue
		}
		if seen[r.Key] = true; r.Key < last {
			t.Errorf("%s was asked for after %s", r.Key, last)
		}
		last = r.Key
	}
	if len(seen) != many || kills == 0 {
		t.Errorf("%d of %d were asked for, after %d kills", len(seen), many, kills)
	}
}

// eventIDs are the ids of events, each once.
func eventIDs(all []record) []string {
	var ids []string
	for _, r := range all {
		ids = append(ids, r.Headers["ce_id"])
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
