package kafkaio_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/toplu/toplu/internal/kafkaio"
)

// TestLoginRefused shows that a login refused is final for a client that was
// never let in, and to be tried again by one that was: its password is being
// exchanged. What was to be written then was not.
func TestLoginRefused(t *testing.T) {
	t.Parallel()
	k, on := fake(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "user", "secret"), kfake.SeedTopics(1, "there"))
	var refusals atomic.Int64 // that are still to come
	k.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		if refusals.Add(-1) < 0 {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		res.ErrorCode = int16(kafka.SASLAuthenticationFailed)
		return res, nil, true
	})
	dial := func() *kafkaio.Client {
		c, err := kafkaio.Dial(kafkaio.Config{Brokers: on.brokers, Timeout: 5 * time.Second, SASL: plain.Mechanism{Username: "user", Password: "secret"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}

	refusals.Store(1000)
	stranger, began := dial(), time.Now()
	if _, err := stranger.Partitions(t.Context(), "there"); !errors.Is(err, kafkaio.ErrLogin) || kafkaio.Temporary(err) {
		t.Errorf("never let in: %v, temporary %t", err, kafkaio.Temporary(err))
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("never let in: it tried for %s", took)
	}

	refusals.Store(0)
	c := dial()
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The next requests need connections of their own.
	refusals.Store(2)
	if _, err := c.Offsets(t.Context(), "there"); err != nil {
		t.Errorf("let in before: %v", err)
	}
	if left := refusals.Load(); left >= 0 {
		t.Errorf("nothing was refused: %d left", left)
	}

	other := dial()
	if err := other.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	refusals.Store(2)
	if _, err := other.NewAppender("there", 0).Append(t.Context(), texts(1, "%d")); err != nil {
		t.Errorf("append while a password is exchanged: %v", err)
	}
}
