package app_test

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

type auditJSON struct {
	Agrees bool
	Sums   []struct {
		Status, Value string
		Count         int
	}
	Events      struct{ Expected, OnTopic, Repeated, Expired int }
	Iyzico      *struct{ Requests, Items, Pending int }
	Differences int
	Listed      []struct{ Where, PayoutID, Text string }
}

func (s *shift) audit(t *testing.T, args ...string) (auditJSON, result) {
	t.Helper()
	r := s.run(t, append([]string{"audit", "--json", "--settle", "50ms"}, args...)...)
	v := loose[auditJSON](t, r)
	if (r.code == 0) != v.Agrees || v.Agrees != (v.Differences == 0) {
		t.Errorf("exit status %d: %+v", r.code, v)
	}
	return v, r
}

// differs checks that an audit finds exactly n differences, one with this text.
func (s *shift) differs(t *testing.T, n int, where, text string, args ...string) {
	t.Helper()
	v, r := s.audit(t, args...)
	for _, l := range v.Listed {
		if l.Where == where && strings.Contains(l.Text, text) && v.Differences == n {
			return
		}
	}
	t.Errorf("want %d differences, one in %s with %q: %s", n, where, text, r.out)
}

// paidAndPaused pays three payouts, leaves a fourth created at iyzico and not
// authorised, and stops.
func paidAndPaused(t *testing.T) *shift {
	t.Helper()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.send(t, "a-1", "a-2", "a-3")
	for _, id := range []string{"a-1", "a-2", "a-3"} {
		s.says(t, ": paid", "explain", id)
	}
	s.run(t, "pause", "--yes").want(t, 0, "", "")
	s.send(t, "b-1")
	s.says(t, "created", "batch", "list")
	s.stop()
	return s
}

func TestAuditAgrees(t *testing.T) {
	t.Parallel()
	s := paidAndPaused(t)
	v, r := s.audit(t, "--iyzico")
	if !v.Agrees || v.Events.Expected != 10 || v.Events.OnTopic != 10 || v.Iyzico.Items != 4 {
		t.Errorf("%s", r.out)
	}
	want := map[string]string{"paid": "30.00", "accepted": "10.00"}
	for _, sum := range v.Sums {
		if want[sum.Status] != sum.Value {
			t.Errorf("%+v", sum)
		}
	}
	// Repeated events are no difference.
	s.run(t, "statuses", "reemit", "--ids", "a-1", "--yes").want(t, 0, "", "")
	if v, r := s.audit(t); !v.Agrees || v.Events.Repeated != 3 {
		t.Errorf("%s", r.out)
	}
	s.run(t, "audit", "--settle", "50ms").want(t, 0, "Everything agrees.", "")
}

// Each of the things that an audit compares can make it fail.
func TestAuditOfTamperedClaims(t *testing.T) {
	t.Parallel()
	s := paidAndPaused(t)
	rdb := s.redis(t)
	claim := claimOf(t, rdb, "")
	meta := claim.bucket[:strings.Index(claim.bucket, "}")+1]
	for _, tt := range []struct {
		name, text string
		harm, heal func() error
	}{
		{"another owner", "by the log the one at", func() error {
			return claim.give(t, rdb, genesis)
		}, func() error { return claim.restore(t, rdb) }},
		{"another content", "of another merchant, recipient or amount", func() error {
			return claim.change(t, rdb, otherContent)
		}, func() error { return claim.restore(t, rdb) }},
		{"a claim deleted", "the claims are damaged", func() error {
			return rdb.Set(t.Context(), claim.bucket, claim.before+claim.after, 0).Err()
		}, func() error { return claim.restore(t, rdb) }},
		{"a count changed", "by the log up to the same plan", func() error {
			return rdb.HIncrBy(t.Context(), meta, "n", 1).Err()
		}, func() error { return rdb.HIncrBy(t.Context(), meta, "n", -1).Err() }},
	} {
		if err := tt.harm(); err != nil {
			t.Fatal(err)
		}
		s.differs(t, 1, "claims", tt.text)
		if err := tt.heal(); err != nil {
			t.Fatal(err)
		}
		if v, r := s.audit(t); !v.Agrees {
			t.Fatalf("%s: not healed: %s", tt.name, r.out)
		}
	}
	// The watermark: too high for the log, and too low for the claims there are.
	stand, err := rdb.HGet(t.Context(), meta, "wm").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"1000000", "0"} {
		rdb.HSet(t.Context(), meta, "wm", wrong)
		if v, r := s.audit(t); v.Agrees || v.Listed[0].Where != "claims" {
			t.Errorf("watermark %s instead of %s: %s", wrong, stand, r.out)
		}
		rdb.HSet(t.Context(), meta, "wm", stand)
	}
	rdb.FlushAll(t.Context())
	s.differs(t, 2, "claims", "the claims are lost") // of both shards
}

// A storedClaim is a claim and the bucket in which it lies, as they were found.
type storedClaim struct {
	bucket               string
	before, claim, after string // all that is in the bucket
}

// What an audit finds in a claim: 12 bytes of a payout id's digest, 5 of the offset of
// its plan, 12 of its content. At offset 0 there is a genesis, no plan.
const (
	claimSize    = 12 + 5 + 12
	genesis      = "\x00\x00\x00\x00\x00"
	otherContent = "another-one!"
)

func (c storedClaim) give(t *testing.T, rdb *redis.Client, owner string) error {
	return rdb.SetRange(t.Context(), c.bucket, int64(len(c.before)+12), owner).Err()
}

func (c storedClaim) change(t *testing.T, rdb *redis.Client, content string) error {
	return rdb.SetRange(t.Context(), c.bucket, int64(len(c.before)+12+5), content).Err()
}

func (c storedClaim) restore(t *testing.T, rdb *redis.Client) error {
	return rdb.Set(t.Context(), c.bucket, c.before+c.claim+c.after, 0).Err()
}

// claimOf finds the claim of a payout, or any.
func claimOf(t *testing.T, rdb *redis.Client, payout string) storedClaim {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), "*}:*").Result()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(payout))
	for _, key := range keys {
		content, err := rdb.Get(t.Context(), key).Result()
		if err != nil {
			continue
		}
		for at := 0; at < len(content); at += claimSize {
			if payout == "" || strings.HasPrefix(content[at:], string(sum[:12])) {
				return storedClaim{key, content[:at], content[at : at+claimSize], content[at+claimSize:]}
			}
		}
	}
	t.Fatalf("no claim of %q among %q", payout, keys)
	return storedClaim{}
}

// What was paid elsewhere is compared as plans are: it is no difference where nothing
// follows it, and one where somebody has touched it.
func TestAuditOfImports(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.send(t, "a-1")
	s.says(t, ": paid", "explain", "a-1")
	s.run(t, "claims", "import", file(t, "ids", "old-1\nold-2\nold-3\nold-4\nold-5\n"), "--reason", "the old system", "--yes").want(t, 0, "5 imported", "")
	s.stop()
	if v, r := s.audit(t); !v.Agrees {
		t.Fatalf("%s", r.out)
	}
	rdb := s.redis(t)
	claim := claimOf(t, rdb, "old-1")
	for _, tt := range []struct {
		text string
		harm func() error
	}{
		{"by the log the one at", func() error { return claim.give(t, rdb, genesis) }},
		{"of another merchant, recipient or amount", func() error { return claim.change(t, rdb, otherContent) }},
	} {
		if err := tt.harm(); err != nil {
			t.Fatal(err)
		}
		s.differs(t, 1, "claims", tt.text)
		if err := claim.restore(t, rdb); err != nil {
			t.Fatal(err)
		}
	}
	// Taken out as if it had never been there, and the count put right: an audit alone tells of it.
	rdb.Set(t.Context(), claim.bucket, claim.before+claim.after+strings.Repeat("\xff", claimSize), 0)
	rdb.HIncrBy(t.Context(), claim.bucket[:strings.Index(claim.bucket, "}")+1], "n", -1)
	s.differs(t, 2, "claims", "nobody owns it in Redis")
}

func TestAuditOfTamperedStatuses(t *testing.T) {
	t.Parallel()
	s := paidAndPaused(t)
	forged := schema.Status{PayoutID: "b-1", Merchant: "default", Sequence: 2, PreviousStatus: schema.Accepted, Status: schema.Submitted, OccurredAt: time.Now()}
	s.write(t, "payout.statuses", nil, schema.EncodeStatus(&forged))
	s.differs(t, 1, "statuses", "submitted with sequence 2 is not in the log")
	changed := schema.Status{PayoutID: "a-1", Merchant: "default", Sequence: 1, Status: schema.Accepted, Amount: schema.Amount{Minor: 1, Currency: schema.TRY}, OccurredAt: time.Now()}
	s.write(t, "payout.statuses", nil, schema.EncodeStatus(&changed))
	s.differs(t, 2, "statuses", "accepted with sequence 1 says something else than the log")
	s.write(t, "payout.statuses", nil, schema.Message{Key: []byte("a-1"), Value: []byte("paid, I swear")})
	s.differs(t, 3, "statuses", "not a status event")
}

// A journal that says paid of what was never authorised contradicts iyzico and
// the statuses.
func TestAuditOfATamperedLog(t *testing.T) {
	t.Parallel()
	s := paidAndPaused(t)
	list := loose[struct {
		Batches []struct {
			BatchID, RequestID string
			Shard              int
			PlanOffset         int64
		}
	}](t, s.run(t, "batch", "list", "--json")).Batches
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	b := list[0]
	record := func(r schema.Record) {
		r.Batch, r.Plan, r.RequestID, r.Attempt, r.Session, r.At = b.BatchID, b.PlanOffset, b.RequestID, 1, "forged", time.Now()
		value, err := schema.EncodeRecord(&r)
		if err != nil {
			t.Fatal(err)
		}
		s.write(t, "payout.journal", &b.Shard, schema.Message{Key: []byte(b.BatchID), Value: value})
	}
	record(schema.Record{Type: schema.RecCompleting}) // paused: it does not count
	if v, r := s.audit(t, "--iyzico"); !v.Agrees {
		t.Errorf("%s", r.out)
	}
	lift := schema.Record{Type: schema.RecResumed, Which: s.pausesOf(t, b.Shard), Session: "forged", At: time.Now()}
	value, err := schema.EncodeRecord(&lift)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "payout.journal", &b.Shard, schema.Message{Key: []byte("resumed"), Value: value})
	record(schema.Record{Type: schema.RecCompleting})
	record(schema.Record{Type: schema.RecSettled, Items: []schema.ItemChange{{Item: 0, Status: schema.Paid}}})
	s.differs(t, 3, "statuses", "paid with sequence 3 is in the log and not on the topic", "--iyzico")
	s.differs(t, 3, "iyzico", "the log says paid, iyzico shows INIT", "--iyzico")
	// A log that no worker could fold is a difference too.
	s.write(t, "payout.journal", &b.Shard, schema.Message{Key: []byte("x"), Value: []byte(`{"v":1,"type":"teleported"}`)})
	v, r := s.audit(t)
	if v.Agrees || v.Listed[0].Where != "log" {
		t.Errorf("%s", r.out)
	}
}

// With Redis wiped and nobody to fill it again, what the logs have is told all the
// same: a paid payout called "not seen" would be paid once more by whoever asked.
func TestExplainWithoutClaims(t *testing.T) {
	t.Parallel()
	s := paidAndPaused(t)
	batch := s.batchOf(t, "b-1")
	rdb := s.redis(t)
	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a-1", "a-2", "a-3"} {
		s.run(t, "explain", id).want(t, 0, id+": paid", "")
	}
	s.run(t, "explain", "a-1").want(t, 0, "as the log has it: the claims cannot tell", "")
	s.run(t, "batch", "show", batch, "--items").want(t, 0, "b-1", "")
	s.run(t, "payout", "cancel", "a-1", "--dry-run").want(t, 0, "refused: the payout is paid", "")
	s.run(t, "payout", "cancel", "b-1", "--dry-run").want(t, 0, "the payout of 10.00 TRY would be cancelled", "")
	never := s.run(t, "explain", "never-asked")
	never.want(t, 0, "not seen. No batch has it", "")
	never.want(t, 0, "is answered to offset", "")
	if v := loose[struct {
		Requests []struct{ Answered, End int64 }
	}](t, s.run(t, "explain", "never-asked", "--json")); len(v.Requests) != 2 {
		t.Errorf("%+v", v)
	}
}

// notesOf lists the notes in a shard's journal.
func (s *shift) notesOf(t *testing.T, shard int) []string {
	t.Helper()
	_, client := kafkaOf(t, s.env)
	var all []string
	b, err := client.NewReader("payout.journal", shard, 0, kafkaio.ReaderOptions{}).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range b.Records {
		if r, err := schema.DecodeRecord(rec.Value); err == nil && r.Type == schema.RecNoted {
			all = append(all, r.Reason.Code+" by "+r.By+": "+r.Reason.Text)
		}
	}
	return all
}

// pausesOf lists the journal offsets of a shard's paused records.
func (s *shift) pausesOf(t *testing.T, shard int) []int64 {
	t.Helper()
	_, client := kafkaOf(t, s.env)
	var all []int64
	reader := client.NewReader("payout.journal", shard, 0, kafkaio.ReaderOptions{})
	b, err := reader.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range b.Records {
		if string(rec.Key) == "paused" {
			all = append(all, rec.Offset)
		}
	}
	return all
}

// write writes a message to a topic.
func (s *shift) write(t *testing.T, topic string, partition *int, m schema.Message) {
	t.Helper()
	_, client := kafkaOf(t, s.env)
	out := kafkaio.Message{Key: m.Key, Value: m.Value, Headers: m.Headers, Partition: partition}
	if err := client.Publish(t.Context(), topic, []kafkaio.Message{out}); err != nil {
		t.Fatal(err)
	}
}

type rebuildJSON struct {
	DryRun bool
	Shards []struct {
		Shard             int
		Claims, Plans     int64
		TookNanoseconds   int64
		Finished, Emptied bool
	}
}

// Claims that were tampered with are right again after a rebuild, while the
// service runs, and nobody is paid twice by it.
func TestRebuild(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.start(t)
	s.send(t, "a-1", "a-2", "a-3")
	for _, id := range []string{"a-1", "a-2", "a-3"} {
		s.says(t, ": paid", "explain", id)
	}
	rdb := s.redis(t)
	if err := claimOf(t, rdb, "").change(t, rdb, otherContent); err != nil {
		t.Fatal(err)
	}
	s.differs(t, 1, "claims", "of another merchant, recipient or amount")
	s.run(t, "rebuild", "--shard", "7", "--yes").want(t, 2, "", "there are 0 to 1")
	s.run(t, "rebuild", "--dry-run").want(t, 0, "would empty and refill the claims of shards 0, 1", "")
	if dry := decode[rebuildJSON](t, s.run(t, "rebuild", "--dry-run", "--json")); !dry.DryRun || len(dry.Shards) != 2 || dry.Shards[1].Shard != 1 || dry.Shards[1].Emptied {
		t.Errorf("%+v", dry)
	}
	type quarantineJSON struct {
		DryRun      bool
		Shard, Plan int
	}
	if dry := decode[quarantineJSON](t, s.run(t, "quarantine", "--shard", "1", "--plan", "3", "--reason", "try", "--dry-run", "--json")); dry != (quarantineJSON{true, 1, 3}) {
		t.Errorf("%+v", dry)
	}
	s.run(t, "rebuild").want(t, 2, "", "add --yes")
	s.run(t, "rebuild", "--yes", "--by", "ayse", "--reason", "a drill").want(t, 0, "shard 1: ", "")
	for shard := range 2 {
		if notes := s.notesOf(t, shard); !slices.Contains(notes, "rebuild by ayse: a drill") {
			t.Errorf("the journal of shard %d does not tell of it: %q", shard, notes)
		}
	}
	if v, r := s.audit(t, "--iyzico"); !v.Agrees {
		t.Errorf("%s", r.out)
	}
	s.send(t, "a-1", "b-1")
	s.says(t, ": paid", "explain", "b-1")
	if v, r := s.audit(t, "--iyzico"); !v.Agrees || v.Sums[0].Count != 4 || v.Sums[0].Value != "40.00" {
		t.Errorf("%s", r.out)
	}
}
