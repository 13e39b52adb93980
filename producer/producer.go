package producer

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/segmentio/kafka-go/sasl"
	"go.opentelemetry.io/otel/trace"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

// Config says where requests go. Only Brokers is needed.
type Config struct {
	// Brokers are the addresses to start from, as host:port.
	Brokers []string
	// CheckDigits says whether wrong check digits of IBANs and identity numbers
	// are refused here already: then nothing goes out that a strict toplu would
	// refuse later. Defaults to [schema.CheckWarn], which lets them pass.
	CheckDigits schema.CheckDigits
	// ClientID names the program in the brokers' logs and quotas. Defaults to
	// "toplu-producer".
	ClientID string
	// SASL, if not nil, is how every connection authenticates.
	SASL sasl.Mechanism
	// Source is the CloudEvents source of the requests: which program asks, as a
	// URI or a path such as "/shop/orders". Defaults to "toplu".
	Source string
	// Timeout is how long one attempt may take; see [Producer.Publish]. Defaults
	// to 10 seconds.
	Timeout time.Duration
	// TLS, if not nil, is used for every connection.
	TLS *tls.Config
	// Topic is where toplu reads requests. Defaults to "payout.requests".
	Topic string
}

// A Producer writes requests. Safe for concurrent use. It must be closed.
type Producer struct {
	client *kafkaio.Client
	topic  string
	source string
	rules  *schema.Rules
}

// What Publish may fail with, for [errors.Is], beside an [*InvalidError] and the
// context's own error.
var (
	// ErrTopicMissing means that the cluster has no such topic: a wrong name, or
	// `toplu topics create` is still to be run.
	ErrTopicMissing = kafkaio.ErrTopicMissing
	// ErrTooLarge means that a request is larger than the topic takes.
	ErrTooLarge = kafkaio.ErrTooLarge
	// ErrLogin means that a broker refused the user, its password or the mechanism.
	ErrLogin = kafkaio.ErrLogin
	// ErrClosed means that the producer was closed.
	ErrClosed = kafkaio.ErrClosed
)

// New returns a producer. It connects with the first Publish; the error is
// about the configuration alone.
func New(cfg Config) (*Producer, error) {
	topic := cmp.Or(cfg.Topic, "payout.requests")
	if strings.ContainsFunc(cfg.Source, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("producer: Source must be a URI or a path: ASCII without blanks")
	}
	client, err := kafkaio.Dial(kafkaio.Config{
		Brokers: cfg.Brokers, ClientID: cmp.Or(cfg.ClientID, "toplu-producer"), Topics: []string{topic},
		Timeout: cfg.Timeout, TLS: cfg.TLS, SASL: cfg.SASL,
	})
	if err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	return &Producer{client: client, topic: topic, source: cfg.Source, rules: &schema.Rules{CheckDigits: cfg.CheckDigits}}, nil
}

// Publish sends requests and returns nil once all in-sync replicas have all of
// them. All are checked before any is sent; the error about invalid ones is an
// [*InvalidError]. The key is the payout id, hashed as Java's client does; the
// requests of one payout keep their order.
//
// While the cluster is away Publish tries again, with growing pauses, until ctx
// ends: give it one that does. It does not wait for a topic that is missing, or
// for permissions. After any error but an InvalidError some requests may have
// been written; to publish all again pays nothing twice. The text names the
// payouts of the call, up to ten.
//
// Each call waits for its own acknowledgement, so many requests are asked for
// fastest in one call.
func (p *Producer) Publish(ctx context.Context, requests ...Request) error {
	o := origin{at: time.Now(), source: p.source, trace: traceOf(ctx)} //nolint:forbidigo // the time of an event is when it is sent
	events, err := encode(requests, p.rules, o)
	if err != nil {
		return fmt.Errorf("producer: %w", err)
	}
	messages := kafkaio.Messages(events...)
	var last error
	pauses := backoff.NewExponentialBackOff(backoff.WithMaxInterval(5*time.Second), backoff.WithMaxElapsedTime(0))
	err = backoff.Retry(func() error {
		err := p.client.Publish(ctx, p.topic, messages)
		if err == nil || ctx.Err() != nil {
			return err
		}
		last = err
		if !kafkaio.Temporary(err) || errors.Is(err, kafkaio.ErrTopicMissing) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(pauses, ctx))
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && last != nil && !errors.Is(err, last):
		return fmt.Errorf("producer: %s: %w (at last: %w)", names(requests), err, last)
	}
	return fmt.Errorf("producer: %s: %w", names(requests), err)
}

// names are the payouts of requests that have been checked, for people.
func names(requests []Request) string {
	ids := make([]string, 0, shown)
	for _, r := range requests[:min(shown, len(requests))] {
		ids = append(ids, r.PayoutID)
	}
	text := strings.Join(ids, ", ")
	if more := len(requests) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// traceOf is the trace of the span in a context, "" if there is none.
func traceOf(ctx context.Context) string {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return ""
	}
	return fmt.Sprintf("00-%s-%s-%s", span.TraceID(), span.SpanID(), span.TraceFlags()&trace.FlagsSampled)
}

// Close ends all connections. A Publish under way returns an error. Closing
// twice is fine.
func (p *Producer) Close() { p.client.Close() }
