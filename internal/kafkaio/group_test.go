package kafkaio_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/toplu/toplu/internal/kafkaio"
)

// TestGroupNoticesNewPartitions shows that a topic that grows is divided anew.
func TestGroupNoticesNewPartitions(t *testing.T) {
	t.Parallel()
	_, on := fake(t)
	c := dial(t, on)
	topic := newTopic(t, c, 2, nil)
	w := newWatcher()
	join(t, c, w, "a", kafkaio.GroupConfig{Group: topic, Topic: topic})
	has := func(n int) func(map[string]*kafkaio.Generation) bool {
		return func(h map[string]*kafkaio.Generation) bool { return h["a"] != nil && len(h["a"].Partitions) == n }
	}
	w.until(t, "a has both", has(2))
	admin, err := kgo.NewClient(kgo.SeedBrokers(on.brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 1000
	req.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: topic, Count: 3}}
	if res, err := req.RequestWith(t.Context(), admin); err != nil || res.Topics[0].ErrorCode != 0 {
		t.Fatal(err)
	}
	w.until(t, "a has three", has(3))
}

// TestCommitOverTrouble shows that a commit outlives a coordinator that moves.
func TestCommitOverTrouble(t *testing.T) {
	t.Parallel()
	for _, code := range []*kerr.Error{kerr.NotCoordinator, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.RequestTimedOut} {
		t.Run(code.Message, func(t *testing.T) {
			t.Parallel()
			k, on := fake(t)
			c := dial(t, on)
			topic := newTopic(t, c, 1, nil)
			w := newWatcher()
			join(t, c, w, "a", kafkaio.GroupConfig{Group: topic, Topic: topic})
			g := w.until(t, "a is there", func(h map[string]*kafkaio.Generation) bool { return h["a"] != nil })["a"]
			faults := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: code, Count: 2})
			if err := g.Commit(t.Context(), map[int]int64{0: 5}, "five"); err != nil {
				t.Fatal(err)
			}
			if faults.Hits() != 2 {
				t.Errorf("%d faults", faults.Hits())
			}
			got, err := c.CommittedOffsets(t.Context(), topic, topic)
			if want := (kafkaio.Committed{Offset: 5, Metadata: "five", Found: true}); err != nil || got[0] != want {
				t.Errorf("%+v, %v", got[0], err)
			}
		})
	}
}

// TestGenerationContext shows that a callback's context carries its caller's
// values, and says why it ended.
func TestGenerationContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	_, on := fake(t)
	c := dial(t, on)
	topic := newTopic(t, c, 2, nil)
	cfg := kafkaio.GroupConfig{Group: topic, Topic: topic}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	defer cancel()
	began, causes := make(chan struct{}, 10), make(chan error, 10)
	done := make(chan error, 1)
	go func() {
		done <- c.Join(ctx, cfg, func(ctx context.Context, _ *kafkaio.Generation) error {
			if ctx.Value(key{}) != "value" {
				t.Error("the caller's values are lost")
			}
			began <- struct{}{}
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return ctx.Err()
		})
	}()
	<-began
	w := newWatcher()
	leave := join(t, c, w, "b", cfg)
	<-began
	cancel()
	if err := <-done; err != nil {
		t.Errorf("join ended with %v", err)
	}
	leave()
	got := []error{<-causes, <-causes}
	if want := []error{kafkaio.ErrGenerationEnded, context.Canceled}; !slices.Equal(got, want) {
		t.Errorf("causes %v, want %v", got, want)
	}
}

// TestTLSAndSASL shows that every kind of connection is encrypted and
// authenticated.
func TestTLSAndSASL(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(nil) // for its certificate
	defer server.Close()
	trust := x509.NewCertPool()
	trust.AddCert(server.Certificate())
	_, on := fake(t, kfake.TLS(&tls.Config{Certificates: server.TLS.Certificates}),
		kfake.EnableSASL(), kfake.Superuser("PLAIN", "user", "secret"))
	cfg := kafkaio.Config{
		Brokers:        on.brokers,
		SessionTimeout: on.session,
		Timeout:        3 * time.Second,
		TLS:            &tls.Config{RootCAs: trust},
		SASL:           plain.Mechanism{Username: "user", Password: "secret"},
	}
	c, err := kafkaio.Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	topic := newTopic(t, c, 1, nil)
	appendAll(t, c, topic, 0, texts(1, "%d")...)
	if got := readTo(t, c, topic, 0, 0, 1, kafkaio.ReaderOptions{}); len(got) != 1 {
		t.Errorf("read %v", got)
	}
	w := newWatcher()
	leave := join(t, c, w, "a", kafkaio.GroupConfig{Group: topic, Topic: topic})
	w.until(t, "a is there", func(h map[string]*kafkaio.Generation) bool { return h["a"] != nil })
	leave()

	cfg.SASL = plain.Mechanism{Username: "user", Password: "wrong"}
	stranger, err := kafkaio.Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if err := stranger.Ping(t.Context()); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with a wrong password: %v", err)
	} else {
		t.Log(err)
	}
}
