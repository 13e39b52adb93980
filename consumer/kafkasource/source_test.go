package kafkasource_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/toplu/toplu/consumer/kafkasource"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// plansAndCommits sends good ones, repeated ones and garbage through.
func plansAndCommits(t *testing.T, in *installation) {
	large := append([]byte(`{"payoutId":"large"`), bytes.Repeat([]byte(" "), 900_000)...)
	garbage := []schema.Message{
		{Key: []byte("k"), Value: nil, Headers: []schema.Header{{Key: "x", Value: []byte{0, 0xff}}}},
		{Value: []byte("hello")},
		{Key: []byte("large"), Value: large},
		{Value: []byte(`{"payoutId":"refused"}`)},
	}
	in.write(t, 0, 0, requests("a", 1000)...)
	in.write(t, 0, 0, requests("a", 10)...)
	in.write(t, 1, 0, garbage[:2]...)
	in.write(t, 1, 0, garbage[2])
	in.write(t, 1, 0, garbage[3])
	in.write(t, 1, 0, requests("b", 1000)...)

	stop := in.start(t, in.cfg)
	in.committed(t, 1010, 1004)
	if err := stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	planned := in.planned(t)
	if a, b := each(t, planned, "a"), each(t, planned, "b"); a != 1000 || b != 1000 || len(planned) != 2000 {
		t.Errorf("planned %d and %d of %d", a, b, len(planned))
	}
	letters := slices.Concat(in.readAll(t, in.cfg.DeadLetters, 0), in.readAll(t, in.cfg.DeadLetters, 1))
	if len(letters) != len(garbage) {
		t.Fatalf("%d dead letters", len(letters))
	}
	for _, m := range garbage {
		if !slices.ContainsFunc(letters, func(r kafkaio.Record) bool {
			return bytes.Equal(r.Key, m.Key) && bytes.Equal(r.Value, m.Value) && (r.Value == nil) == (m.Value == nil)
		}) {
			t.Errorf("%.20q is no dead letter", m.Value)
		}
	}
	refused := slices.Concat(in.readAll(t, in.cfg.Statuses, 0), in.readAll(t, in.cfg.Statuses, 1))
	if len(refused) != 1 || string(refused[0].Key) != "refused" {
		t.Errorf("%d refusals", len(refused))
	}
	commits, err := in.client.CommittedOffsets(t.Context(), in.cfg.Group, in.cfg.Requests)
	if err != nil || commits[0].Metadata != "log-1" || commits[1].Metadata != "log-1" {
		t.Errorf("commits %v, %v", commits, err)
	}

	// Started again, it finds nothing to do.
	stop = in.start(t, in.cfg)
	in.write(t, 0, 0, requests("c", 1)...)
	in.committed(t, 1011, 1004)
	if err := stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if planned := in.planned(t); len(planned) != 2001 || each(t, planned, "a") != 1000 {
		t.Errorf("%d planned after a restart", len(planned))
	}
}

// leavesOutAborted: a request whose transaction was aborted is never planned.
func leavesOutAborted(t *testing.T, in *installation) {
	in.transact(t, kgo.TryAbort, requests("aborted", 5))
	in.write(t, 0, 0, requests("plain", 2)...)
	in.transact(t, kgo.TryCommit, requests("committed", 5))
	in.transact(t, kgo.TryAbort, requests("aborted", 5))
	in.start(t, in.cfg)
	in.committed(t, 5+1+2+5+1+5+1) // the markers, too
	planned := in.planned(t)
	if each(t, planned, "plain") != 2 || each(t, planned, "committed") != 5 || len(planned) != 7 {
		t.Errorf("planned %v", planned)
	}
}

func (in *installation) transact(t *testing.T, how kgo.TransactionEndTry, messages []schema.Message) {
	t.Helper()
	p, err := kgo.NewClient(kgo.SeedBrokers(in.on.brokers...), kgo.TransactionalID(in.cfg.Requests), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := p.ProduceSync(t.Context(), &kgo.Record{Topic: in.cfg.Requests, Value: m.Value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.EndTransaction(t.Context(), how); err != nil {
		t.Fatal(err)
	}
}

// twoMembersRebalance has a second member join in the middle, and the first one
// leave, while requests come in.
func twoMembersRebalance(t *testing.T, in *installation) {
	in.cfg.Planner.MaxWait = time.Second
	stopA := in.start(t, in.cfg)
	const rounds, size = 30, 20
	var stopB func() error
	for i := range rounds {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26))
		in.write(t, i%2, 0, requests(name, size)...)
		switch i {
		case rounds / 3:
			in.committed(t, 40) // A has begun
			stopB = in.start(t, in.cfg)
		case 2 * rounds / 3:
			in.committed(t, rounds/3*size) // and made some way, with B or without
			if err := stopA(); err != nil {
				t.Errorf("the first ended with %v", err)
			}
		}
	}
	in.committed(t, rounds/2*size, rounds/2*size)
	if err := stopB(); err != nil {
		t.Errorf("the second ended with %v", err)
	}
	planned := in.planned(t)
	if len(planned) != rounds*size {
		t.Errorf("%d planned, want %d", len(planned), rounds*size)
	}
	for id, times := range planned {
		// Each partition has one owner at a time, and what it leaves it writes
		// and commits before the next one begins.
		if times != 1 {
			t.Errorf("%s is planned %d times", id, times)
		}
	}
}

func endsWithoutTopic(t *testing.T, in *installation) {
	in.cfg.Requests += "-typo"
	if err := in.fails(t, in.cfg); !errors.Is(err, kafkaio.ErrTopicMissing) {
		t.Errorf("it ended with %v", err)
	}
}

// TestKafkaAway: it waits, says so, and can be stopped.
func TestKafkaAway(t *testing.T) {
	t.Parallel()
	client, err := kafkaio.Dial(kafkaio.Config{Brokers: []string{"127.0.0.1:1"}, Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	said := make(lines, 100)
	cfg := kafkasource.Config{Client: client, Group: "g", Requests: "r", Batches: "b", LogID: "l"}
	cfg.Planner.Log = zerolog.New(said)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- kafkasource.Run(ctx, cfg) }()
	if line := <-said; !strings.Contains(line, "127.0.0.1:1") || !strings.Contains(line, "waiting for Kafka") {
		t.Errorf("it says %s", line)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// lines is a log that is read line by line.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}
