package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/toplu/toplu/internal/bench"
	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/redisclaim"
)

// A benchRun is what is made for one run.
type benchRun struct {
	*benchCommand
	program *program
	cfg     *config.Config // with the run's own prefixes
	dir     string         // logs of the parts
	client  *kafkaio.Client
	claims  benchClaims
	bench   *bench.Bench
	parts   []*bench.Part
	groups  []string
	quiet   func() // removes the progress
}

func newBenchRun(ctx context.Context, p *program, c *benchCommand, cfg *config.Config) (*benchRun, error) {
	name := "bench-" + newID()[:8]
	cfg.Kafka.TopicPrefix += name + "-"
	cfg.Kafka.Group += "-" + name
	cfg.Redis.KeyPrefix += "-" + name
	clear(cfg.Merchants) // the topics that they name are the installation's
	log, err := newLogger(cfg.Log, p.stderr)
	if err != nil {
		return nil, err
	}
	r := &benchRun{benchCommand: c, program: p, cfg: cfg, quiet: func() {}}
	if r.dir, err = os.MkdirTemp("", "toplu-"+name+"-"); err != nil {
		return nil, err
	}
	topics := cfg.Kafka.Topics()
	if r.client, err = dialKafka(cfg.Kafka, log, append(allTopics(topics), cfg.Kafka.TopicPrefix+"copy")...); err != nil {
		return nil, err
	}
	rdb, err := dialRedis(cfg.Redis)
	if err != nil {
		r.client.Close()
		return nil, err
	}
	r.claims = benchClaims{redisclaim.New(rdb, cfg.Redis.KeyPrefix), rdb.Close, c.Partitions}
	create := topicsCreateCommand{Partitions: c.Partitions}
	if _, err := create.create(ctx, cfg, r.client, map[string]kafkaio.Topic{}); err != nil {
		return nil, errors.Join(err, r.end(ctx))
	}
	if c.Copy {
		spec := topicSpec(cfg, r.copyTopic(), c.Partitions, 0)
		if err := r.client.CreateTopics(ctx, spec); err != nil {
			return nil, errors.Join(err, r.end(ctx))
		}
	}
	r.bench = &bench.Bench{
		Kafka: r.client, Topics: topics, Prefix: cfg.Kafka.TopicPrefix, Name: name, Partitions: c.Partitions,
		MaxItems: c.Batch, MaxWait: c.MaxWait, Session: cfg.Kafka.SessionTimeout, Claims: r.claims,
		Worker: r.worker, Simulator: r.simulator, Progress: r.progress(), Now: time.Now,
	}
	return r, nil
}

// measure runs what was asked for.
func (r *benchRun) measure(ctx context.Context) (*benchReport, error) {
	report := &benchReport{Batch: r.Batch, PageSize: r.PageSize, Partitions: r.Partitions, MaxWait: r.MaxWait.String(), Rate: r.Rate, Before: r.Before}
	if r.Stalled {
		stalled, _, err := r.bench.Stalled(ctx, r.Payouts, r.Watch)
		report.Stalled = &stalled
		return report, err
	}
	if r.Restart {
		if err := r.bench.LeaveOpen(ctx, r.Behind); err != nil {
			return nil, err
		}
	}
	if r.Before > 0 {
		_, earlier, err := r.bench.Life(ctx, r.Before, 0)
		if err != nil {
			return nil, err
		}
		if err := earlier.End(ctx); err != nil {
			return nil, err
		}
	}
	life, payer, err := r.bench.Life(ctx, r.Payouts, r.Rate)
	if err != nil {
		return nil, err
	}
	report.Life = &life
	if payer, err = r.afterLife(ctx, payer, report); err != nil {
		return nil, err
	}
	// The next steps have the machine for themselves.
	if err := payer.End(ctx); err != nil {
		return nil, err
	}
	if r.Replay {
		replay, err := r.bench.Replay(ctx)
		if err != nil {
			return nil, err
		}
		report.Replay = &replay
	}
	if r.Copy {
		c, err := r.bench.Copy(ctx, r.copyTopic())
		if err != nil {
			return nil, err
		}
		report.Copy = &c
	}
	return report, nil
}

// afterLife measures what needs the worker of a Life, and returns the last one.
func (r *benchRun) afterLife(ctx context.Context, payer *bench.Part, report *benchReport) (*bench.Part, error) {
	if r.Idle {
		idle, err := r.bench.Idle(ctx, payer, r.Watch)
		if err != nil {
			return payer, err
		}
		report.Idle = &idle
	}
	if r.Rebuild {
		rebuild, err := r.bench.Rebuild(ctx)
		if err != nil {
			return payer, err
		}
		report.Rebuild = &rebuild
	}
	if r.Restart {
		restart, last, err := r.bench.Restart(ctx, payer, report.Life.Batches)
		if err != nil {
			return last, err
		}
		payer, report.Restart = last, &restart
	}
	return payer, nil
}

// copyTopic is where the copy goes.
func (r *benchRun) copyTopic() string { return r.cfg.Kafka.TopicPrefix + "copy" }

// start starts this program again as one of the run's parts.
func (r *benchRun) start(name string, env []string, args ...string) (*bench.Part, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if path := r.program.configPath; path != "" {
		args = append([]string{"--config", path}, args...)
	}
	part, err := bench.StartPart(name, filepath.Join(r.dir, name+".log"), append(os.Environ(), env...), append([]string{self}, args...))
	if err == nil {
		r.parts = append(r.parts, part)
	}
	return part, err
}

// worker starts the service in the run's own topics and keys. Merchants of the
// configuration are left out, so that no real key is used.
func (r *benchRun) worker(ctx context.Context, group, url string, from map[int]int64) (*bench.Part, error) {
	phase := group
	group = r.cfg.Kafka.Group + "-" + phase
	if !slices.Contains(r.groups, group) {
		r.groups = append(r.groups, group, group+"-workers")
	}
	if from != nil { // a group without commits goes on at the floor
		if err := r.client.SetOffsets(ctx, group, r.cfg.Kafka.Topics().Requests, from); err != nil {
			return nil, explainKafka(err)
		}
	}
	env := []string{
		"TOPLU_KAFKA_TOPICPREFIX=" + r.cfg.Kafka.TopicPrefix, "TOPLU_KAFKA_GROUP=" + group, "TOPLU_KAFKA_STARTAT=first",
		"TOPLU_REDIS_KEYPREFIX=" + r.cfg.Redis.KeyPrefix, "TOPLU_ADMIN_LISTEN=127.0.0.1:0",
		"TOPLU_BATCH_MAXITEMS=" + strconv.Itoa(r.Batch), "TOPLU_BATCH_MAXWAIT=" + r.MaxWait.String(),
		"TOPLU_IYZICO_BASEURL=" + url, "TOPLU_IYZICO_PAGESIZE=" + strconv.Itoa(r.PageSize),
		"TOPLU_MERCHANTS_DEFAULT_APIKEY=" + sandboxKey, "TOPLU_MERCHANTS_DEFAULT_SECRETKEY=" + sandboxSecret,
		"TOPLU_MERCHANTS_DEFAULT_TOPICS=payout.requests",
	}
	args := []string{"bench-worker"}
	if r.Profile != "" {
		args = append(args, "--profile", filepath.Join(r.Profile, phase))
	}
	return r.start("worker", env, args...)
}

// simulator starts an iyzico that settles at once.
func (r *benchRun) simulator(context.Context) (*bench.Part, error) {
	return r.start("simulator", nil, "bench-simulator")
}

// end ends the parts and removes what was made, also after a Ctrl-C.
func (r *benchRun) end(ctx context.Context) error {
	r.quiet()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var errs []error
	for _, part := range slices.Backward(r.parts) {
		errs = append(errs, part.End(ctx))
	}
	if !r.Keep {
		errs = append(errs, r.remove(ctx))
	}
	r.claims.close()
	r.client.Close()
	return errors.Join(errs...)
}

// remove removes topics, groups, keys and logs.
func (r *benchRun) remove(ctx context.Context) error {
	topics := r.cfg.Kafka.Topics()
	errs := []error{r.client.DeleteTopics(ctx, append(allTopics(topics), r.copyTopic())...)}
	for _, g := range r.groups {
		errs = append(errs, r.client.DeleteGroup(ctx, g))
	}
	errs = append(errs, r.claims.Remove(ctx), os.RemoveAll(r.dir))
	return errors.Join(errs...)
}

// benchClaims are the claims of a run.
type benchClaims struct {
	*redisclaim.Store
	hangUp func() error
	shards int
}

// Count implements [bench.Claims].
func (c benchClaims) Count(ctx context.Context) (n int64, err error) {
	for shard := range c.shards {
		state, err := c.State(ctx, shard)
		if err != nil && !errors.Is(err, worker.ErrClaimsLost) {
			return 0, explainRedis(err)
		}
		n += state.Count
	}
	return n, nil
}

func (c benchClaims) close() {
	c.Close()
	_ = c.hangUp()
}

// progress shows how far each step is, on a terminal.
func (r *benchRun) progress() func(what string, done, of int) {
	if !isTerminal(r.program.stderr) {
		return func(string, int, int) {}
	}
	current := ""
	bar := r.program.progress(0, "")
	r.quiet = func() { bar.end() }
	return func(what string, done, of int) {
		if what != current {
			bar.end()
			current, bar = what, r.program.progress(int64(of), what)
		}
		_ = bar.Set(done)
	}
}
