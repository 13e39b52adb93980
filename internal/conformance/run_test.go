package conformance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/toplu/toplu/internal/conformance"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// TestMain is also the ledger under test, when it is started as such.
func TestMain(m *testing.M) {
	switch os.Getenv("TOPLU_TEST_LEDGER") {
	case "":
		goleak.VerifyTestMain(m)
	case "books":
		exit(printBooks())
	case "quits":
		exit(errors.New("no room left"))
	default:
		exit(consume(os.Getenv("TOPLU_TEST_LEDGER")))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// consume books what comes as the last sequence of each payout, in a file of
// lines; "naive" adds a line for every event, and
// "commits first" commits what it has taken, and then books it one by one.
func consume(how string) error {
	file, err := os.OpenFile(os.Getenv("LEDGER_FILE"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(os.Getenv("KAFKA_BROKERS")), kgo.ConsumeTopics(os.Getenv("KAFKA_TOPIC")),
		kgo.ConsumerGroup(os.Getenv("KAFKA_GROUP")), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(2*time.Second), kgo.HeartbeatInterval(200*time.Millisecond), kgo.BlockRebalanceOnPoll())
	if err != nil {
		return err
	}
	ctx := context.Background()
	for how == "right" || how == "naive" || how == "commits first" {
		fetches := client.PollFetches(ctx)
		if how == "commits first" {
			if err := client.CommitUncommittedOffsets(ctx); err != nil {
				return err
			}
		}
		for iter := fetches.RecordIter(); !iter.Done(); {
			r := iter.Next()
			m := schema.Message{Key: r.Key, Value: r.Value}
			for _, h := range r.Headers {
				m.Headers = append(m.Headers, schema.Header(h))
			}
			if how == "commits first" {
				time.Sleep(time.Millisecond) // it asks somebody about each
			}
			line, err := json.Marshal(m)
			if err != nil {
				return err
			}
			if _, err := file.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		if err := client.CommitUncommittedOffsets(ctx); err != nil {
			return err
		}
		client.AllowRebalance()
	}
	<-ctx.Done()
	return nil
}

func printBooks() error {
	file, err := os.Open(os.Getenv("LEDGER_FILE"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	l := newLedger(flaw{again: os.Getenv("LEDGER_NAIVE") != ""})
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var m schema.Message
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			continue // cut off by a kill; it comes again
		}
		l.book(m)
	}
	for _, e := range l.books() {
		if err := json.NewEncoder(os.Stdout).Encode(e); err != nil {
			return err
		}
	}
	return lines.Err()
}

// stage is a stage on a fake broker, with this program as the ledger.
func stage(t *testing.T, how string, env ...string) conformance.Stage {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "statuses"), kfake.GroupMinSessionTimeout(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	members, err := kafkaio.Dial(kafkaio.Config{Brokers: cluster.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(members.Close)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Stage{
		Publish: func(ctx context.Context, messages []schema.Message) error {
			records := make([]*kgo.Record, len(messages))
			for i, m := range messages {
				records[i] = &kgo.Record{Topic: "statuses", Key: m.Key, Value: m.Value}
				for _, h := range m.Headers {
					records[i].Headers = append(records[i].Headers, kgo.RecordHeader(h))
				}
			}
			return client.ProduceSync(ctx, records...).FirstErr()
		},
		Consumer: []string{"env", "TOPLU_TEST_LEDGER=" + how, self},
		Books:    []string{"env", "TOPLU_TEST_LEDGER=books", self},
		Env: append(env, "KAFKA_BROKERS="+strings.Join(cluster.ListenAddrs(), ","), "KAFKA_TOPIC=statuses", "KAFKA_GROUP=ledger",
			"LEDGER_FILE="+filepath.Join(t.TempDir(), "ledger")),
		Wait:    30 * time.Second,
		Members: func(ctx context.Context) (int, bool, error) { return members.Members(ctx, "ledger") },
		Committed: func(ctx context.Context) (sum int64, err error) {
			offsets, err := members.CommittedOffsets(ctx, "ledger", "statuses")
			for _, o := range offsets {
				sum += max(0, o.Offset)
			}
			return sum, err
		},
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	for how, env := range map[string][]string{"right": nil, "naive": {"LEDGER_NAIVE=1"}} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			var said []string
			s := stage(t, how, env...)
			s.Say = func(what string) { said = append(said, what) }
			v, err := conformance.Run(t.Context(), compose(t, 100), s)
			if err != nil || v.OK != (how == "right") || (v.Wrong == 0) != (how == "right") {
				t.Errorf("got %+v, %v", v, err)
			}
			want := []string{"act 1", "act 2", "killed amid its work", "killed amid its work", "killed amid its work", "act 3", "a second ledger", "the second takes over", "act 4"}
			for i, text := range want {
				if i >= len(said) || !strings.Contains(said[i], text) || len(said) != len(want) {
					t.Fatalf("it went %q, want %q", said, want)
				}
			}
		})
	}
}

// A ledger that commits before it books loses what it had in hand when it was
// killed, and is told so.
func TestCommitBeforeBookingIsCaught(t *testing.T) {
	t.Parallel()
	v, err := conformance.Run(t.Context(), compose(t, 1000), stage(t, "commits first"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range v.Stories {
		if caught := s.Story == "interrupted"; caught && (s.Wrong == 0 || !strings.Contains(s.Lesson, "Commit the offset only after the booking")) {
			t.Errorf("%+v", s)
		}
	}
}

func TestRunSaysWhatIsWrongWithTheProgram(t *testing.T) {
	t.Parallel()
	play := compose(t, 100)
	if _, err := conformance.Run(t.Context(), play, stage(t, "quits")); err == nil || !strings.Contains(err.Error(), "no room left") {
		t.Errorf("of one that ends by itself: %v", err)
	}
	idle := stage(t, "idle")
	idle.Wait = 500 * time.Millisecond
	if _, err := conformance.Run(t.Context(), play, idle); !errors.Is(err, conformance.ErrBehind) {
		t.Errorf("of one that books nothing: %v", err)
	}
	silent := stage(t, "right")
	silent.Books = []string{"echo", "paid: 3"}
	if _, err := conformance.Run(t.Context(), play, silent); err == nil || !strings.Contains(err.Error(), "line 1 is not") {
		t.Errorf("of books that are none: %v", err)
	}
	missing := stage(t, "right")
	missing.Consumer = []string{"/not/there"}
	if _, err := conformance.Run(t.Context(), play, missing); err == nil {
		t.Error("of a program that is not there: no error")
	}
}

func TestReadBooks(t *testing.T) {
	t.Parallel()
	const line = `{"payoutId":"a","status":"paid","reserved":"0.00","paid":"1.00","commission":"0.00","own":1}` + "\n"
	books, err := conformance.ReadBooks(strings.NewReader("\n" + line))
	if err != nil || books["a"].Paid != "1.00" {
		t.Errorf("got %v, %v", books, err)
	}
	for name, text := range map[string]string{"twice": line + line, "no JSON": "a paid", "incomplete": `{"payoutId":"a"}`, "numbers": strings.ReplaceAll(line, `"1.00"`, "1.0")} {
		if _, err := conformance.ReadBooks(strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
