package kafkasource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/rs/zerolog"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/internal/kafkaio"
)

// Config says what to read and where to write.
type Config struct {
	Client *kafkaio.Client
	// Group is the consumer group on the requests' topic.
	Group string
	// SessionTimeout is how long a silent member keeps its partitions. Defaults
	// to the client's. See [consumer.Config.StopTimeout].
	SessionTimeout time.Duration
	// Named says that Requests is not the installation's common topic but one that
	// a merchant names: it may have come later, and a new topic is no moved one.
	Named bool
	// Sources are all topics that requests are read from, each by a Run of its own.
	// Nil: Requests alone.
	Sources []string
	// The names of the topics.
	Requests, Batches, Commands, Statuses, DeadLetters string
	// LogID names the plan logs. It is kept with every commit, and commits that
	// name another are refused: they belong to logs that are gone.
	LogID string
	// StartAt is where a group without any commit begins.
	StartAt StartAt
	// Floors say up to where requests were answered. Nil: none are kept.
	Floors Floors
	// Known tells which payout ids are claimed.
	Known consumer.Known
	// Seal hides who is paid; nil: nothing is sealed.
	Seal consumer.Seal
	// Reading, if not nil, is called whenever requests begin to be read: nothing
	// stops them (any more).
	Reading func()
	// Planner is how batches are filled. Its logger and clock are used here too.
	Planner consumer.Config
}

// A source is one run of Run.
type source struct {
	Config
	log zerolog.Logger
	now func() time.Time
}

// Run plans requests until ctx ends, and returns nil then; up to twice the
// planner's StopTimeout later. While Kafka is away it waits, and says so. Every
// error is one that waiting does not mend: a [StartError], a topic that is
// missing, a log with a hole in it; or, as a [StoppedError], commits or floors
// that do not fit to the logs, which a person's command mends.
func Run(ctx context.Context, cfg Config) error {
	s := &source{Config: cfg, log: cfg.Planner.Log, now: cfg.Planner.Now}
	if s.now == nil {
		s.now = time.Now //nolint:forbidigo // the clock itself
	}
	if cfg.LogID == "" {
		return errors.New("kafkasource: no log id: commits could not be told from another installation's")
	}
	var shards int
	err := s.untilDone(ctx, func() (err error) {
		shards, err = cfg.Client.Partitions(ctx, cfg.Batches)
		if err != nil {
			return err
		}
		return s.guard(ctx)
	})
	if err != nil {
		return ended(ctx, err)
	}
	planner := consumer.New(cfg.Planner, consumer.Ports{
		Known:       cfg.Known,
		Plans:       newPlans(cfg.Client, cfg.Batches, shards),
		Commands:    newCommands(cfg.Client, cfg.Commands, shards),
		DeadLetters: publisher{cfg.Client, cfg.DeadLetters},
		Statuses:    publisher{cfg.Client, cfg.Statuses},
		Seal:        cfg.Seal,
	})
	group := kafkaio.GroupConfig{Group: cfg.Group, Topic: cfg.Requests, SessionTimeout: cfg.SessionTimeout}
	return ended(ctx, s.untilDone(ctx, func() error {
		return cfg.Client.Join(ctx, group, func(ctx context.Context, g *kafkaio.Generation) error {
			return s.serve(ctx, planner, g)
		})
	}))
}

// serve plans for one generation of the group.
func (s *source) serve(ctx context.Context, planner *consumer.Planner, g *kafkaio.Generation) error {
	if len(g.Partitions) == 0 {
		s.reading()
		s.log.Info().Int("generation", g.ID).Msg("no partitions of requests for this member")
		return nil
	}
	var begin beginning
	err := s.untilDone(ctx, func() (err error) {
		begin, err = s.begin(ctx, g)
		return err
	})
	switch {
	case errors.Is(err, kafkaio.ErrFenced):
		// The group has moved on; the membership will notice in a moment.
		<-ctx.Done()
		return nil
	case err != nil:
		return err
	}
	a := consumer.Assignment{Topic: s.Requests, Committer: committer{g, begin.metadata}, Floors: raiser{s, begin.floors, begin.skipped}}
	var ids []int
	for _, p := range g.Partitions {
		from := begin.offsets[p.ID]
		a.Partitions = append(a.Partitions, consumer.Partition{ID: p.ID, From: from, Floor: begin.floors[p.ID].Offset, Answered: begin.floors[p.ID].Answered, Reader: &reader{
			source: s, from: s.Client.NewReader(s.Requests, p.ID, from, kafkaio.ReaderOptions{MaxBytes: 512 << 10}),
		}})
		ids = append(ids, p.ID)
	}
	s.reading()
	s.log.Info().Ints("partitions", ids).Int("generation", g.ID).Msg("requests assigned")
	return planner.Run(ctx, a)
}

func (s *source) reading() {
	if s.Reading != nil {
		s.Reading()
	}
}

// untilDone repeats f while its error is one that may pass, with growing pauses
// until ctx ends. Each trouble is logged once.
func (s *source) untilDone(ctx context.Context, f func() error) error {
	told := ""
	return backoff.RetryNotify(func() error {
		err := f()
		if err != nil && !kafkaio.Temporary(err) && !errors.Is(err, ErrNotBegun) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(newBackoff(), ctx), func(err error, _ time.Duration) {
		if text := err.Error(); text != told && ctx.Err() == nil {
			told = text
			s.log.Warn().Err(err).Msg("waiting for Kafka")
		}
	})
}

func newBackoff() backoff.BackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(50*time.Millisecond),
		backoff.WithMaxInterval(5*time.Second),
		backoff.WithMaxElapsedTime(0),
	)
}

// ended is nil for whatever went wrong since ctx has ended.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("consumer: %w", err)
	}
	return nil
}
