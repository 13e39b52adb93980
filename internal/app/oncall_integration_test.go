//go:build integration

package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/demo"
	"github.com/toplu/toplu/internal/realparts"
)

// newRealShift is a shift on a real broker and a real Redis.
func newRealShift(t *testing.T, version string, settle time.Duration) *shift {
	t.Helper()
	parts, err := demo.Start(t.Context(), settle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(parts.Close)
	kafka, err := realparts.StartKafka(context.WithoutCancel(t.Context()), version, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kafka.Stop() })
	server, err := realparts.StartRedis(context.WithoutCancel(t.Context()), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	s := &shift{env: plus(parts.Env(), "TOPLU_LOG_LEVEL=error", "TOPLU_KAFKA_SESSIONTIMEOUT=6s", "TOPLU_KAFKA_MININSYNCREPLICAS=1",
		"TOPLU_KAFKA_BROKERS="+strings.Join(kafka.Brokers, ","), "TOPLU_REDIS_ADDRS="+server.Addr), stop: func() {}}
	s.run(t, "topics", "create", "--partitions", "2").want(t, 0, "", "")
	return s
}

// TestOnCallOnRealParts is a night on call on real brokers and a real Redis: what
// the simulated ones of the other tests could have wrong together with us.
func TestOnCallOnRealParts(t *testing.T) {
	for _, version := range []string{realparts.Kafka42, realparts.Kafka39} {
		t.Run(version, func(t *testing.T) {
			s := newRealShift(t, version, 50*time.Millisecond)
			s.start(t)
			s.send(t, "a-1", "a-2", "a-3")
			for _, id := range []string{"a-1", "a-2", "a-3"} {
				s.says(t, ": paid", "explain", id)
			}
			// Somebody stops everything, looks, takes one out and lets go.
			s.run(t, "pause", "--reason", "a drill", "--yes").want(t, 0, "shard 1: counted", "")
			s.send(t, "b-1", "b-2", "b-3")
			s.says(t, "created", "explain", "b-3")
			s.says(t, "created", "batch", "list")
			r := s.until(t, func(r result) bool {
				st := loose[statusJSON](t, r)
				return st.Requests[0].Lag+st.Requests[1].Lag == 0
			}, "status", "--json")
			st := loose[statusJSON](t, r)
			if len(st.Pauses) != 1 || st.Shards[0].Owner == "" || st.Shards[1].Owner == "" || st.Merchants[0].Payable.Value != "30.00" {
				t.Errorf("%s", r.out)
			}
			s.run(t, "batch", "hold", s.batchOf(t, "b-1"), "--yes").want(t, 0, "counted", "")
			s.run(t, "payout", "cancel", "b-1", "--yes").want(t, 0, "counted", "")
			s.run(t, "resume", "--yes").want(t, 0, "counted", "")
			s.run(t, "batch", "list", "--stuck").want(t, 0, "", "")
			if list := s.batches(t, "--stuck"); len(list) > 0 { // b-1 may have been alone in its batch
				s.run(t, "batch", "resume", list[0].BatchID, "--yes").want(t, 0, "counted", "")
			}
			s.says(t, ": paid", "explain", "b-2")
			s.says(t, ": paid", "explain", "b-3")
			s.run(t, "explain", "b-1").want(t, 0, "b-1: cancelled", "")

			// Poison goes aside, and comes back once it is none any more.
			s.poison(t, `{"payoutId":"m-1","merchant":"market","recipient":{"type":"PHONE","value":"+905350000000"},"amount":{"value":"1.00","currency":"TRY"}}`)
			s.says(t, "unknown_merchant", "dlq", "list")
			s.stop()
			s.env = withMarket(t, s.env)
			s.start(t)
			s.run(t, "dlq", "redrive", "--all", "--yes").want(t, 0, "1 sent back", "")
			s.says(t, ": paid", "explain", "m-1")

			// In the end the books are right, and an audit that finds nothing could.
			s.says(t, "no open batches", "batch", "list")
			s.run(t, "statuses", "reemit", "--ids", "a-1,b-1", "--yes").want(t, 0, "events published", "")
			if v, r := s.audit(t, "--iyzico", "--settle", "5s"); !v.Agrees {
				t.Errorf("%s", r.out)
			}
			s.stop()
			rdb := s.redis(t)
			if err := rdb.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			s.differs(t, 2, "claims", "the claims are lost")
			s.run(t, "status").want(t, 1, "the claims are lost", "")
		})
	}
}
