package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/internal/tracing"
	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/kafkalog"
	"github.com/toplu/toplu/worker/redisclaim"
	"github.com/toplu/toplu/worker/redislimit"
	"github.com/toplu/toplu/worker/throttle"
)

// Roles say which halves of the service a process runs. Each scales by itself.
type Roles struct{ Consumer, Worker bool }

// A service is a running toplu: what it holds, and who uses it.
type service struct {
	cfg    *config.Config
	topics config.Topics
	roles  Roles
	log    zerolog.Logger

	kafka    *kafkaio.Client
	redis    redisclaim.Client
	claims   *redisclaim.Store
	seal     *seal.Keys        // nil: nothing is sealed
	shared   *redislimit.Store // with the other workers
	accounts map[string]*account
	gates    map[string]*throttle.Gate // to the accounts
	registry *prometheus.Registry
	recent   *recentCalls
	unread   *prometheus.GaugeVec // topics of requests that are not read
	worker   *worker.Worker
	metrics  *worker.Metrics // nil: there is no worker
	health   health
	tracer   trace.Tracer // nil: nothing is traced
	shards   int
	logID    string // stands for the plan logs of all shards
}

// startError is a start that cannot succeed by waiting.
type startError struct{ error }

// newService makes the clients. Nothing is connected yet.
func newService(cfg *config.Config, roles Roles, log zerolog.Logger) (*service, error) {
	s := &service{cfg: cfg, topics: cfg.Topics(), roles: roles, log: log, registry: newRegistry(), recent: newRecentCalls(time.Now)}
	var err error
	if cfg.Seal.KeyDir != "" {
		if s.seal, err = seal.Open(cfg.Seal.KeyDir, time.Now); err != nil {
			return nil, err
		}
	}
	if s.kafka, err = dialKafka(cfg.Kafka, log, allTopics(s.topics)...); err != nil {
		return nil, err
	}
	if s.redis, err = dialRedis(cfg.Redis); err != nil {
		s.close()
		return nil, err
	}
	s.claims = redisclaim.New(s.redis, cfg.Redis.KeyPrefix)
	s.shared = redislimit.New(s.redis, cfg.Redis.KeyPrefix)
	if s.accounts, err = openAccounts(cfg, s.registry, s.recent); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// dialRedis returns a client of the configuration's Redis.
func dialRedis(r config.Redis) (redisclaim.Client, error) {
	tlsConfig, err := r.TLSConfig()
	if err != nil {
		return nil, err
	}
	return redisclaim.Dial(redisclaim.Config{
		Addrs: r.Addrs, MasterName: r.MasterName, Cluster: r.Cluster,
		Login: redisLogin(r), SentinelUsername: r.SentinelUsername, SentinelPassword: r.SentinelPassword.Reveal(),
		TLS: tlsConfig,
	}), nil
}

func (s *service) close() {
	for _, a := range s.accounts {
		a.CloseIdleConnections()
	}
	if s.claims != nil {
		s.claims.Close()
	}
	if s.redis != nil {
		_ = s.redis.Close()
	}
	if s.kafka != nil {
		s.kafka.Close()
	}
}

// Run serves until ctx ends, then gives everything up in order.
func (s *service) Run(ctx context.Context) error {
	defer s.close()
	tracer, untrace, err := tracing.Start(ctx, tracing.Config{
		Endpoint: s.cfg.Tracing.Endpoint, File: s.cfg.Tracing.File, Millionths: s.cfg.Tracing.Sample, Log: s.log,
	})
	if err != nil {
		return err
	}
	defer untrace()
	s.tracer = tracer
	s.health.set("starting", "starting") // before anybody can ask
	stopAdmin, err := s.serveAdmin(ctx)
	if err != nil {
		return err
	}
	defer stopAdmin()
	if err := s.await(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	s.health.set("starting", "")
	s.log.Info().Int("shards", s.shards).Bool("consumer", s.roles.Consumer).Bool("worker", s.roles.Worker).Strs("merchants", slices.Sorted(maps.Keys(s.cfg.Merchants))).Msg("toplu is running")

	// The halves end on their own terms when ctx does; a failure of one ends the
	// other.
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	var wait sync.WaitGroup
	errs := make(chan error, 8)
	start := func(f func(context.Context) error) {
		wait.Go(func() {
			if err := f(run); err != nil && ctx.Err() == nil {
				errs <- err
				cancel()
			}
		})
	}
	if s.roles.Worker {
		s.worker = s.newWorker()
		s.health.watch(s.worker)
		start(s.runWorker)
		start(s.watchKeys)
		start(s.tellPulse)
	}
	start(s.watchParts)
	if s.seal != nil {
		start(s.watchSeals)
	}
	if s.roles.Consumer {
		start(s.runConsumer)
	}
	wait.Wait()
	close(errs)
	s.log.Info().Msg("toplu has stopped")
	return <-errs
}

// await waits for Kafka, Redis and iyzico, and refuses what waiting does not
// mend: wrong topics, wrong credentials, a Redis that may forget.
func (s *service) await(ctx context.Context) error {
	if err := s.until(ctx, "kafka", s.checkKafka); err != nil {
		return err
	}
	if err := s.until(ctx, "redis", s.checkRedis); err != nil {
		return err
	}
	// After Redis: what it remembers says whether empty logs are the first ones.
	if err := s.until(ctx, "the plan logs", s.checkLogs); err != nil {
		return err
	}
	if err := s.until(ctx, "keys to seal with", s.checkSeals); err != nil {
		return err
	}
	if !s.roles.Worker {
		return nil
	}
	s.health.set("starting", "waiting for iyzico")
	return s.checkIyzico(ctx)
}

// until repeats f until it succeeds, saying each new trouble once.
func (s *service) until(ctx context.Context, what string, f func(context.Context) error) error {
	told := ""
	s.health.set("starting", "waiting for "+what) // f may itself wait for long, as while Kafka takes no records
	retry := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(200*time.Millisecond), backoff.WithMaxInterval(5*time.Second), backoff.WithMaxElapsedTime(0))
	return backoff.RetryNotify(func() error {
		err := f(ctx)
		if final, ok := errors.AsType[startError](err); ok {
			return backoff.Permanent(final.error)
		}
		return err
	}, backoff.WithContext(retry, ctx), func(err error, _ time.Duration) {
		if text := err.Error(); text != told {
			told = text
			s.log.Warn().Err(err).Msg("waiting for " + what)
			s.health.set("starting", "waiting for "+what+": "+text)
		}
	})
}

// checkKafka checks that the cluster answers and that the topics are right.
func (s *service) checkKafka(ctx context.Context) error {
	if err := s.kafka.Ping(ctx); err != nil {
		return hopeless(explainKafka(err))
	}
	found, err := describeAll(ctx, s.kafka, s.cfg)
	if err != nil {
		return hopeless(err)
	}
	problems := judgeTopics(found, s.cfg)
	if bad := refused(problems); len(bad) > 0 {
		return startError{topicsError(bad)}
	}
	for _, p := range problems {
		s.log.Warn().Str("topic", p.Topic).Msg(p.Text)
	}
	s.shards, err = s.kafka.Partitions(ctx, s.topics.Batches)
	return err
}

// checkRedis checks that Redis answers and forgets nothing by itself.
func (s *service) checkRedis(ctx context.Context) error {
	_, err := s.claims.Check(ctx)
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "maxmemory-policy"):
		return startError{err}
	}
	return hopeless(explainRedis(err))
}

// checkIyzico asks for every merchant's balance. One whose key is refused is
// logged and does not keep the others waiting; if all are, the start ends.
func (s *service) checkIyzico(ctx context.Context) error {
	wrong := 0
	var last error
	for _, name := range slices.Sorted(maps.Keys(s.accounts)) {
		_, err := s.accounts[name].Balance(ctx)
		code := iyzico.CodeOf(err)
		switch {
		case err == nil || ctx.Err() != nil:
		case code == "1000" || code == "1001":
			wrong++
			last = err
			s.log.Error().Err(err).Str("merchant", name).Msg("iyzico refuses this merchant's keys: its payouts wait until they are right")
		default:
			s.log.Warn().Err(err).Str("merchant", name).Msg("iyzico does not answer yet; payouts wait for it")
		}
	}
	if wrong > 0 && wrong == len(s.accounts) {
		return fmt.Errorf("iyzico refuses the keys of every merchant: %w\nCheck merchants.*.apiKey and secretKey, and that iyzico.baseUrl is of the same environment (sandbox keys begin with sandbox-)", last)
	}
	return nil
}

// watchParts looks every hour whether Redis still forgets nothing and the topics
// are still what they must be. Topics that are not stop every shard.
func (s *service) watchParts(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			evicted, err := s.claims.Check(ctx)
			if err != nil || evicted > 0 {
				s.log.Error().Err(err).Int64("evictedKeys", evicted).Msg("Redis may forget claims: it must run with maxmemory-policy noeviction")
			}
			s.watchTopics(ctx)
		}
	}
}

// watchTopics stops every shard if the topics are not what they must be any more.
func (s *service) watchTopics(ctx context.Context) {
	problems, err := CheckTopics(ctx, s.kafka, s.cfg)
	if err != nil {
		s.log.Warn().Err(err).Msg("cannot look at the topics")
		return
	}
	// What is planned is paid, whatever has become of the topic of one merchant.
	problems = slices.DeleteFunc(problems, func(p Problem) bool { return slices.Contains(s.topics.Named, p.Topic) })
	if bad := refused(problems); len(bad) > 0 && s.worker != nil {
		s.worker.Halt(topicsError(bad))
	}
}

// topicsError names everything that is wrong with the topics.
func topicsError(bad []Problem) error {
	var lines []string
	for _, p := range bad {
		lines = append(lines, p.String())
	}
	return errors.New("the topics are not what toplu needs:\n  " + strings.Join(lines, "\n  "))
}

// leases gives the shards' leases the errors that package worker knows.
type leases struct{ store *redisclaim.Leases }

func (l leases) Obtain(ctx context.Context, shard int, ttl time.Duration) (worker.Lease, error) {
	lease, err := l.store.Obtain(ctx, shard, ttl)
	if err != nil {
		return nil, err
	}
	return lease, nil
}

// newWorker makes the worker, without shards yet.
func (s *service) newWorker() *worker.Worker {
	s.openGates()
	s.metrics = worker.NewMetrics(s.registry)
	statuses := kafkalog.NewPublisher(s.kafka, s.topics.Statuses)
	dead := kafkalog.NewPublisher(s.kafka, s.topics.DLQ)
	originals := kafkalog.NewOriginals(s.kafka)
	ports := func(shard int) worker.Ports {
		plans, journal := s.logs(shard)
		return worker.Ports{
			Plans: plans, Journal: journal, Commands: kafkalog.New(s.kafka, s.topics.Commands, shard), Claims: s.claims, Statuses: statuses, DeadLetters: dead, Originals: originals, Seal: s.seal,
			Merchant: s.provider, Standing: s.standing, Reserves: s.shared, Now: time.Now, NewID: newID, Log: s.log, Metrics: s.metrics, Tracer: s.tracer,
		}
	}
	ttl := min(s.cfg.Kafka.SessionTimeout, 10*time.Second)
	w := worker.NewWorker(s.workerConfig(), ports, leases{redisclaim.NewLeases(s.redis, s.cfg.Redis.KeyPrefix)}, ttl, s.log)
	shardMetrics(s.registry, s.shards, w.Stopped)
	return w
}

// runWorker drives the shards that the group assigns.
func (s *service) runWorker(ctx context.Context) error {
	defer s.worker.Stop()
	return s.kafka.Join(ctx, kafkaio.GroupConfig{Group: s.cfg.Kafka.Group + "-workers", Topic: s.topics.Batches}, func(gen context.Context, g *kafkaio.Generation) error {
		var shards []int
		for _, p := range g.Partitions {
			shards = append(shards, p.ID)
		}
		s.log.Info().Ints("shards", shards).Int("generation", g.ID).Msg("shards assigned")
		s.worker.Assign(gen, shards)
		<-gen.Done()
		return nil
	})
}

func (s *service) workerConfig() worker.Config {
	terms := map[string]worker.Terms{}
	for name, m := range s.cfg.Merchants {
		terms[name] = worker.Terms{MaxOpen: m.MaxOpen, Topics: m.Topics, MaxPayout: m.Limits.Payout, MaxBatch: m.Limits.Batch, BalanceCurrency: m.BalanceCurrency}
	}
	return worker.Config{
		Partitions: s.shards,
		Grace:      s.cfg.Iyzico.Grace, PageSize: s.cfg.Iyzico.PageSize, RejectCodes: s.cfg.Iyzico.RejectCodes,
		ReportInterval: s.cfg.Report.Interval, ReportMaxInterval: s.cfg.Report.MaxInterval, ReportGiveUp: s.cfg.Report.GiveUp,
		SkipAmounts: !s.cfg.Verify.Amounts, SkipBalance: !s.cfg.Verify.Balance, Merchants: terms,
		StopTimeout: s.cfg.Shutdown.Timeout * 3 / 4,
	}
}

// logs returns the two logs of a shard.
func (s *service) logs(shard int) (plans, journal worker.Log) {
	return kafkalog.New(s.kafka, s.topics.Batches, shard), kafkalog.New(s.kafka, s.topics.Journal, shard)
}
