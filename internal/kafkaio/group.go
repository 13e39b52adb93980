package kafkaio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

const (
	// partitionCheck is how often a member looks whether its topic has got more
	// partitions.
	partitionCheck = 5 * time.Second

	// leaveGrace is how long leaving a group may take while a rebalance is
	// under way. Then the connections are cut, and the group waits for the
	// member's session to time out.
	leaveGrace = 5 * time.Second
)

// GroupConfig says which group to join, and for which topic.
type GroupConfig struct {
	Group string
	Topic string

	// SessionTimeout is how long the group waits for a silent member before it
	// gives its partitions to others. Heartbeats go out ten times as often, and
	// at least every 3 seconds.
	//
	// Defaults to the client's.
	SessionTimeout time.Duration

	// Balancer divides the partitions. All members must use the same.
	//
	// Defaults to [Ranges].
	Balancer kafka.GroupBalancer
}

// Join makes this process a member of a group, until ctx ends (then it returns
// nil) or run returns an error (then it returns that), or it can never work.
// There may be several members in one process.
//
// For every generation of the group run is called once, with the partitions
// that are this member's now. Its ctx ends when ctx does, and with the cause
// [ErrGenerationEnded] when the group begins to rebalance or the membership is
// lost. It must then commit what it wants to and return soon: the group waits
// for it as long as SessionTimeout lasts, and then goes on without it. A run
// that has nothing to do may return nil early; the membership is kept. Runs of
// one Join never overlap.
//
// A lost broker or coordinator is not an error: it is logged once, and joining
// is tried again with growing pauses.
func (c *Client) Join(ctx context.Context, cfg GroupConfig, run func(ctx context.Context, g *Generation) error) error {
	// The library's group leader has brokers create a topic that is not there.
	n, err := c.Partitions(ctx, cfg.Topic)
	if err != nil {
		return fmt.Errorf("join group %s: %w", cfg.Group, err)
	}
	m := &member{c: c, cfg: cfg, run: run, partitions: n, conns: newConnTracker(c.cfg.Timeout)}
	if m.group, err = kafka.NewConsumerGroup(m.config()); err != nil {
		return fmt.Errorf("join group %s: %w", cfg.Group, err)
	}
	err = m.loop(ctx)
	m.leave()
	return err
}

// member is one membership of one group.
type member struct {
	c          *Client
	cfg        GroupConfig
	run        func(context.Context, *Generation) error
	group      *kafka.ConsumerGroup
	conns      *connTracker
	partitions int // of the topic, when last looked at
}

func (m *member) config() kafka.ConsumerGroupConfig {
	session := cmp.Or(m.cfg.SessionTimeout, m.c.cfg.SessionTimeout)
	balancer := m.cfg.Balancer
	if balancer == nil {
		balancer = Ranges{}
	}
	return kafka.ConsumerGroupConfig{
		ID:     m.cfg.Group,
		Topics: []string{m.cfg.Topic},
		Dialer: &kafka.Dialer{
			ClientID:      m.c.cfg.ClientID,
			DialFunc:      m.conns.dial,
			Timeout:       m.c.cfg.Timeout,
			TLS:           m.c.cfg.TLS,
			SASLMechanism: m.c.cfg.SASL,
		},
		Brokers:           m.c.cfg.Brokers,
		GroupBalancers:    []kafka.GroupBalancer{balancer},
		HeartbeatInterval: max(min(session/10, 3*time.Second), time.Millisecond),
		SessionTimeout:    session,
		RebalanceTimeout:  session,
		JoinGroupBackoff:  500 * time.Millisecond,
		Timeout:           m.c.cfg.Timeout,
	}
}

// loop serves generation after generation.
func (m *member) loop(ctx context.Context) error {
	pause, told := newBackoff(), make(map[string]bool)
	for {
		gen, err := m.group.Next(ctx)
		switch {
		case err == nil:
			pause.Reset()
			clear(told)
			if err := m.serve(ctx, gen); err != nil || ctx.Err() != nil {
				return err
			}
		case ctx.Err() != nil:
			return nil //nolint:nilerr // to end is what was asked for
		case hopeless(err):
			return fmt.Errorf("join group %s: %w", m.cfg.Group, err)
		default:
			// Coordinators move and members are voted out in everyday life.
			if text := err.Error(); !told[text] {
				told[text] = true
				m.c.cfg.Logger.Warn().Err(err).Str("group", m.cfg.Group).Msg("joining the group again")
			}
			m.c.wait(ctx, pause.NextBackOff())
		}
		if m.c.ctx.Err() != nil {
			return ErrClosed
		}
	}
}

// serve runs the callback for one generation, inside of which it may commit,
// and returns its error, or nil if the generation ended.
func (m *member) serve(ctx context.Context, gen *kafka.Generation) error {
	result := make(chan error, 1)
	gen.Start(func(genCtx context.Context) {
		runCtx, cancel := context.WithCancelCause(ctx)
		stopGen := context.AfterFunc(genCtx, func() { cancel(ErrGenerationEnded) })
		defer stopGen()
		//nolint:contextcheck // the client ends on its own
		stopClient := context.AfterFunc(m.c.ctx, func() { cancel(ErrClosed) })
		defer stopClient()
		stopWatch := m.watch(runCtx, cancel)
		defer stopWatch()
		defer cancel(nil)

		err := m.run(runCtx, m.newGeneration(gen))
		if err == nil {
			// A function that returns ends its generation, so one that has
			// nothing to do is waited for here.
			<-runCtx.Done()
		} else if cause := context.Cause(runCtx); errors.Is(cause, ErrGenerationEnded) || cause != nil && errors.Is(err, cause) {
			// To end was what it was asked to; and whatever a callback stumbles
			// over that has lost its partitions, the next generation decides.
			err = nil
		}
		if err != nil || ctx.Err() != nil || m.c.ctx.Err() != nil {
			m.beginLeaving() //nolint:contextcheck // the caller's has ended
		}
		result <- err
	})
	return <-result
}

// watch ends a generation whose topic has got more partitions since, so that
// the group divides them anew. The library's own watcher would have brokers
// create a topic that was deleted.
func (m *member) watch(ctx context.Context, cancel context.CancelCauseFunc) (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m.c.wait(ctx, partitionCheck); ctx.Err() == nil; m.c.wait(ctx, partitionCheck) {
			n, err := m.c.Partitions(ctx, m.cfg.Topic)
			if err == nil && n > m.partitions {
				m.partitions = n
				cancel(ErrGenerationEnded)
			}
		}
	}()
	return func() {
		cancel(nil)
		<-done
	}
}

// beginLeaving tells the library to leave before the generation's last function
// returns. Otherwise it would join the next generation first, which takes as
// long as the slowest other member.
func (m *member) beginLeaving() {
	go func() { _ = m.group.Close() }()
	for {
		if _, err := m.group.Next(context.Background()); errors.Is(err, kafka.ErrGroupClosed) {
			return
		}
	}
}

// leave ends the membership and waits for the library's goroutines.
func (m *member) leave() {
	cut := time.AfterFunc(leaveGrace, m.conns.closeAll)
	defer cut.Stop()
	_ = m.group.Close()
	m.conns.closeAll()
}

// hopeless reports whether joining will be refused the next time, too.
func hopeless(err error) bool {
	return errors.Is(err, kafka.InvalidSessionTimeout) || errors.Is(err, kafka.InvalidGroupId) || errors.Is(err, kafka.GroupAuthorizationFailed)
}
