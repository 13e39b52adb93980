package kafkaio

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/sasl"
)

// Config says how to reach a Kafka cluster. Only Brokers is needed.
type Config struct {
	// Brokers are the addresses to start from, as host:port. One that answers
	// is enough; the others of the cluster are learned from it.
	Brokers []string

	// ClientID names this program in the brokers' logs and quotas.
	//
	// Defaults to "toplu".
	ClientID string

	// Compression of what is written: "none", "gzip", "snappy", "lz4" or "zstd".
	//
	// Defaults to "none".
	Compression string

	// Topics limits the cluster metadata that is kept and refreshed to these
	// topics. Any other topic is then missing for this client, but for
	// CreateTopics and DescribeTopics.
	//
	// Defaults to all topics of the cluster, which is costly on a large one.
	Topics []string

	// SessionTimeout is how long a silent group member keeps its partitions,
	// where [GroupConfig] says nothing else. Brokers allow 6 seconds to 30
	// minutes unless they are configured otherwise.
	//
	// Defaults to 10 seconds.
	SessionTimeout time.Duration

	// Timeout is how long one request may take, connecting included. A produce
	// gives the broker half of it to hear from its replicas.
	//
	// Defaults to 10 seconds.
	Timeout time.Duration

	// TLS, if not nil, is used for every connection.
	TLS *tls.Config

	// SASL, if not nil, is how every connection authenticates.
	SASL sasl.Mechanism

	// Logger gets what no caller is told: troubles of the group membership.
	Logger zerolog.Logger
}

// Client speaks to one Kafka cluster. Safe for concurrent use.
type Client struct {
	cfg         Config
	addr        net.Addr
	compression kafka.Compression
	transport   *kafka.Transport
	conns       *connTracker

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	answered atomic.Bool // by any broker, so the login was right once

	refreshMu     sync.Mutex
	refreshed     bool // a moment ago; guarded by refreshMu
	refreshWanted bool // again, when that moment is over; guarded by refreshMu
}

// Dial checks the configuration and returns a client. It connects to nothing
// yet; see [Client.Ping]. The client must be closed.
func Dial(cfg Config) (*Client, error) {
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("kafka: no brokers given")
	}
	for _, b := range cfg.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			return nil, fmt.Errorf("kafka: broker %q is not host:port", b)
		}
	}
	var compression kafka.Compression
	if err := compression.UnmarshalText([]byte(cmp.Or(cfg.Compression, "none"))); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	cfg.ClientID = cmp.Or(cfg.ClientID, "toplu")
	cfg.Timeout = cmp.Or(cfg.Timeout, 10*time.Second)
	cfg.SessionTimeout = cmp.Or(cfg.SessionTimeout, 10*time.Second)
	cfg.Brokers = slices.Clone(cfg.Brokers)

	c := &Client{
		cfg:         cfg,
		addr:        kafka.TCP(cfg.Brokers...),
		compression: compression,
		conns:       newConnTracker(cfg.Timeout),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.transport = c.newTransport(cfg.Topics)
	return c, nil
}

// newTransport makes a pool of connections. A pool asks for the metadata of the
// cluster when it is first used, and then at random moments within 5 seconds.
func (c *Client) newTransport(topics []string) *kafka.Transport {
	return &kafka.Transport{
		Dial:           c.conns.dial,
		DialTimeout:    c.cfg.Timeout,
		MetadataTTL:    5 * time.Second,
		MetadataTopics: topics,
		ClientID:       c.cfg.ClientID,
		TLS:            c.cfg.TLS,
		SASL:           c.cfg.SASL,
		Context:        c.ctx,
	}
}

// Library returns the library's client, with the connections of this one: for what
// measures it. It keeps none of the promises of this package.
func (c *Client) Library() *kafka.Client {
	return &kafka.Client{Addr: c.addr, Timeout: c.cfg.Timeout, Transport: c.transport}
}

// Close ends all connections, also those in use: calls in flight return an
// error. It leaves no goroutine behind. Closing twice is fine.
func (c *Client) Close() {
	c.cancel()
	c.transport.CloseIdleConnections()
	c.conns.closeAll()
}

// Ping returns nil once the cluster has answered, and says what is in the way
// otherwise.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.metadata(ctx)
	return err
}

// metadata returns what the pool knows of some topics, at most some seconds
// old.
func (c *Client) metadata(ctx context.Context, topics ...string) (*metadata.Response, error) {
	names := append([]string{}, topics...) // not nil: that would be all topics
	res, err := c.roundTrip(ctx, c.transport, &metadata.Request{TopicNames: names}, c.cfg.Timeout)
	if err != nil {
		return nil, err
	}
	return res.(*metadata.Response), nil
}

// roundTrip sends one request and returns its answer. It never repeats. Errors
// are explained, see explain.
func (c *Client) roundTrip(ctx context.Context, t *kafka.Transport, req protocol.Message, limit time.Duration) (protocol.Message, error) {
	if c.ctx.Err() != nil {
		return nil, ErrClosed
	}
	// Without a deadline the library sets none on the socket, and a peer that
	// went away without a word would hold the connection for ever.
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	res, err := t.RoundTrip(limited, c.addr, req)
	switch {
	case err == nil:
		c.answered.Store(true)
		return res, nil
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err) && !isDial(err):
		c.refresh()
		// The socket may notice a deadline before the context does.
		if sameDeadline(ctx, limited) {
			return nil, fmt.Errorf("kafka: %w", context.DeadlineExceeded)
		}
		if ctx.Err() == nil {
			return nil, silent(limit, err)
		}
	}
	return nil, c.explain(ctx, t, req, err)
}

// sameDeadline reports whether a context's own deadline is the limit.
func sameDeadline(ctx, limited context.Context) bool {
	own, ok := ctx.Deadline()
	limit, _ := limited.Deadline()
	return ok && own.Equal(limit)
}

func silent(limit time.Duration, err error) error {
	return &transientError{text: fmt.Sprintf("kafka: no answer within %s", limit), err: err}
}

// explain makes of a transport's error one that a person can act on, and has
// the metadata fetched anew where it may be outdated.
func (c *Client) explain(ctx context.Context, t *kafka.Transport, req protocol.Message, err error) error {
	dial, unreachable := errors.AsType[*dialError](err)
	switch {
	case c.ctx.Err() != nil:
		return ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("kafka: %w", context.Cause(ctx))
	case unreachable:
		c.refresh()
		return &transientError{
			text:   fmt.Sprintf("kafka: cannot reach any of %s (%s)", strings.Join(c.cfg.Brokers, ", "), dial.reason()),
			err:    err,
			unsent: true,
		}
	case isLogin(err):
		refused := fmt.Errorf("%w: %w", ErrLogin, err)
		if !c.answered.Load() {
			return refused
		}
		return &transientError{text: refused.Error(), err: refused, unsent: true}
	case errors.Is(err, protocol.ErrNoTopic), errors.Is(err, protocol.ErrNoPartition), errors.Is(err, protocol.ErrNoLeader):
		return c.explainRouting(ctx, t, req, err)
	case errors.Is(err, kafka.BrokerNotAvailable):
		c.refresh()
		return &transientError{text: "kafka: the partition's leader is not available", err: err, unsent: true}
	case isNetwork(err):
		c.refresh()
		return &transientError{text: "kafka: the connection was lost: " + err.Error(), err: err}
	}
	return fmt.Errorf("kafka: %w", err)
}

// explainRouting explains why a request found no broker to go to. The library
// says "topic not found" also when it never heard from the cluster at all, so
// that is asked first.
func (c *Client) explainRouting(ctx context.Context, t *kafka.Transport, req protocol.Message, err error) error {
	if _, asking := req.(*metadata.Request); !asking {
		probe := &metadata.Request{TopicNames: []string{}}
		if _, perr := c.roundTrip(ctx, t, probe, c.cfg.Timeout); perr != nil {
			return asUnsent(perr)
		}
	}
	c.refresh()
	if errors.Is(err, protocol.ErrNoLeader) {
		return &transientError{text: "kafka: the partition has no leader at the moment", err: err, unsent: true}
	}
	return &transientError{text: "kafka: " + err.Error(), err: errors.Join(ErrTopicMissing, err), unsent: true}
}

// refresh drops the pool of connections, so that the next request learns the
// cluster's layout anew; the library has no other way to ask for it. Requests
// in flight keep theirs. However many ask for it, it is done five times a
// second at most.
func (c *Client) refresh() {
	c.refreshMu.Lock()
	defer c.refreshMu.Unlock()
	if c.refreshed {
		c.refreshWanted = true
		return
	}
	c.refreshed = true
	c.transport.CloseIdleConnections()
	time.AfterFunc(200*time.Millisecond, func() {
		c.refreshMu.Lock()
		wanted := c.refreshWanted
		c.refreshed, c.refreshWanted = false, false
		c.refreshMu.Unlock()
		if wanted {
			c.refresh()
		}
	})
}
