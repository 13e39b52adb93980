package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/toplu/toplu/consumer"
	"github.com/toplu/toplu/consumer/kafkasource"
	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// known asks the claims for the consumer.
type known struct{ claims *worker.Known }

// Known implements [consumer.Known].
func (k known) Known(ctx context.Context, shard int, ids []string) ([]consumer.Claim, error) {
	owners, err := k.claims.Owners(ctx, shard, ids)
	return asClaims(owners), err
}

// Glance implements [consumer.Known].
func (k known) Glance(ctx context.Context, shard int, ids []string) ([]consumer.Claim, error) {
	owners, err := k.claims.Glance(ctx, shard, ids)
	return asClaims(owners), err
}

// asClaims are owners as the consumer knows them.
func asClaims(owners []worker.Owner) []consumer.Claim {
	claims := make([]consumer.Claim, len(owners))
	for i, o := range owners {
		claims[i] = consumer.Claim{Owned: o.Offset != worker.None, Content: o.Content}
	}
	return claims
}

// runConsumer seals the requests of every topic into batches until ctx ends. Each
// topic is read by itself, so that one that stops, or is flooded, or that nobody
// has made, holds up no other.
func (s *service) runConsumer(ctx context.Context) error {
	metrics, claims := consumer.NewMetrics(s.registry), worker.NewKnown(s.claims, s.logs, s.log)
	s.unread = stopMetric(s.registry)
	run, end := context.WithCancel(ctx)
	defer end()
	var wait sync.WaitGroup
	errs := make(chan error, len(s.topics.Sources()))
	for _, topic := range s.topics.Sources() {
		wait.Go(func() {
			if err := s.untilMended(run, topic, func() error { return s.consume(run, topic, metrics, known{claims}) }); err != nil {
				errs <- err
				end()
			}
		})
	}
	wait.Go(func() { s.watchLeftovers(run) })
	wait.Wait()
	close(errs)
	return <-errs
}

// consume reads one topic of requests until something stops it.
func (s *service) consume(ctx context.Context, topic string, metrics *consumer.Metrics, claims known) error {
	// Both ends of a run must fit into the group's session and the shutdown.
	stop := min(s.cfg.Kafka.SessionTimeout, s.cfg.Shutdown.Timeout) / 3
	return kafkasource.Run(ctx, kafkasource.Config{
		Client: s.kafka, Group: s.cfg.GroupOf(topic), SessionTimeout: s.cfg.Kafka.SessionTimeout,
		Requests: topic, Named: topic != s.topics.Requests, Sources: s.topics.Sources(), Batches: s.topics.Batches, Commands: s.topics.Commands, Statuses: s.topics.Statuses, DeadLetters: s.topics.DLQ,
		LogID:   s.logID,
		StartAt: kafkasource.StartAt{Mode: kafkasource.StartMode(s.cfg.Kafka.StartAt.Mode), Time: s.cfg.Kafka.StartAt.Time},
		Seal:    s.consumerSeal(),
		Reading: func() { s.stopReading(topic, "") },
		Floors:  floors{s},
		Known:   claims,
		Planner: consumer.Config{
			MaxItems: s.cfg.Batch.MaxItems, MaxAmount: s.cfg.Batch.MaxAmount, MaxBytes: s.cfg.Batch.MaxBytes, MaxWait: s.cfg.Batch.MaxWait,
			Merchants: policies(s.cfg.Merchants),
			// Of all topics together: so much memory they take at most.
			MaxUnanswered: consumer.DefaultMaxUnanswered / len(s.topics.Sources()),
			Rules:         s.cfg.Rules(), Log: s.log.With().Str("topic", topic).Logger(), Metrics: metrics, Tracer: s.tracer, StopTimeout: stop,
		},
	})
}

// policies are what holds for each merchant's batches.
func policies(merchants map[string]config.Merchant) map[string]consumer.Policy {
	all := map[string]consumer.Policy{}
	for name, m := range merchants {
		p := consumer.Policy{MaxItems: m.Batch.MaxItems, MaxAmount: m.Batch.MaxAmount, MaxBytes: m.Batch.MaxBytes, MaxWait: m.Batch.MaxWait}
		if closes, cuts := m.CutOff.At.Minutes(); cuts {
			opens, _ := m.CutOff.Opens.Minutes()
			p.CutOff = &consumer.CutOff{Opens: opens, Closes: closes, Zone: m.CutOff.Zone, Days: m.CutOff.Days, Holidays: m.CutOff.Holidays}
		}
		all[name] = p
	}
	return all
}

// consumerSeal is nothing, and not a nil inside of something, without keys.
func (s *service) consumerSeal() consumer.Seal {
	if s.seal == nil {
		return nil
	}
	return s.seal
}

// checkLogs makes sure that every shard's plan log has its genesis, and keeps an
// id that stands for all of them. It refuses logs that were made for another
// number of shards.
func (s *service) checkLogs(ctx context.Context) error {
	if err := s.checkCommands(ctx); err != nil {
		return hopeless(explainKafka(err))
	}
	sum := sha256.New()
	for shard := range s.shards {
		plans, _ := s.logs(shard)
		g, err := worker.EnsurePlanGenesis(ctx, plans, s.shards, newID, time.Now, s.evidence)
		switch {
		case errors.Is(err, worker.ErrLogID), errors.Is(err, schema.ErrRecord), errors.Is(err, schema.ErrVersion):
			return startError{fmt.Errorf("%s/%d: %w", s.topics.Batches, shard, err)}
		case err != nil:
			return hopeless(explainKafka(err))
		}
		if err := s.checkJournal(ctx, shard); err != nil {
			return err
		}
		sum.Write([]byte(g.LogID))
	}
	s.logID = hex.EncodeToString(sum.Sum(nil)[:12])
	return nil
}
