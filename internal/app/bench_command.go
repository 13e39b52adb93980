package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/bench"
	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/worker/redisclaim"
)

type benchCommand struct {
	jsonFlag
	Payouts    int           `default:"100000" help:"Payouts that wait in payout.requests. Default: ${default}." placeholder:"N"`
	Batch      int           `default:"1000" help:"Items of a batch. Default: ${default}." placeholder:"N"`
	MaxWait    time.Duration `default:"500ms" help:"Age at which a batch that is not full is sealed. Default: ${default}." placeholder:"DURATION"`
	PageSize   int           `default:"1000" help:"Items asked for in one page of a report. Default: ${default}." placeholder:"N"`
	Partitions int           `default:"4" help:"Partitions of every topic. Default: ${default}." placeholder:"N"`
	Copy       bool          `help:"Also read and write the same records with the Kafka client alone."`
	Replay     bool          `help:"Also read all requests again, which are then known."`
	Yes        bool          `help:"Run against brokers or a Redis that are not on this machine."`
	Profile    string        `help:"Existing folder for CPU and allocation profiles of the worker's process." placeholder:"DIR" type:"existingdir"`
	Keep       bool          `help:"Leave the topics and keys there, to be looked at."`
}

// Help says more than the line in the list of commands.
func (*benchCommand) Help() string {
	return `Measures the whole life of payouts: so many requests wait in Kafka, and the service plans, claims, creates, verifies, completes and reports them, against the configured Kafka and Redis and a simulated iyzico that answers at once. Service and simulator are processes of their own, so that CPU time, memory and allocations are the service's alone.

Topics, consumer groups and keys are made for the run, under a prefix of its own that no live worker sees, and removed after it. Nothing is paid. What is measured is as fast as the machine and what else runs on it; docs/benchmarks.md has figures, and what they mean.

Example:

  toplu bench --payouts 100000 --config toplu.yaml`
}

// Run measures.
func (c *benchCommand) Run(ctx context.Context, p *program) (err error) {
	if c.Payouts < 1 || c.Payouts > 20_000_000 || c.Batch < 1 || c.Batch > 5000 || c.Partitions < 1 {
		return usageError{"--payouts: allowed: 1 to 20000000; --batch: 1 to 5000; --partitions: 1 and more"}
	}
	cfg, err := p.config("kafka", "redis")
	if err != nil {
		return err
	}
	if far := elsewhere(cfg); far != "" && !c.Yes {
		return usageError{far + " is not on this machine: a measurement loads it, so --yes is needed"}
	}
	r, err := newBenchRun(ctx, p, c, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.end(ctx)) }()
	report, err := r.measure(ctx)
	if err != nil {
		return err
	}
	r.quiet()
	if c.JSON {
		return p.printJSON(report)
	}
	report.say(p)
	return nil
}

// elsewhere names an address that is not this machine's, if there is one.
func elsewhere(cfg *config.Config) string {
	for _, addr := range slices.Concat(cfg.Kafka.Brokers, cfg.Redis.Addrs) {
		host, _, err := net.SplitHostPort(addr)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return addr
		}
	}
	return ""
}

// A benchReport is what the bench prints.
type benchReport struct {
	Batch      int           `json:"batch"`
	PageSize   int           `json:"pageSize"`
	Partitions int           `json:"partitions"`
	Life       bench.Life    `json:"life"`
	Copy       *bench.Copy   `json:"copy,omitempty"`
	Replay     *bench.Replay `json:"replay,omitempty"`
}

// A benchRun is what is made for one run.
type benchRun struct {
	*benchCommand
	program *program
	cfg     *config.Config // with the run's own prefixes
	dir     string         // logs of the parts
	client  *kafkaio.Client
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
		Kafka: r.client, Topics: topics, Prefix: cfg.Kafka.TopicPrefix, Name: name,
		Worker: r.worker, Simulator: r.simulator, Progress: r.progress(), Now: time.Now,
	}
	return r, nil
}

// measure runs what was asked for.
func (r *benchRun) measure(ctx context.Context) (*benchReport, error) {
	report := &benchReport{Batch: r.Batch, PageSize: r.PageSize, Partitions: r.Partitions}
	life, worker, simulator, err := r.bench.Life(ctx, r.Payouts)
	if err != nil {
		return nil, err
	}
	report.Life = life
	// The next step has the machine for itself.
	if err := r.endPart(ctx, worker); err != nil {
		return nil, err
	}
	if r.Replay {
		u, err := simulator.Usage()
		if err != nil {
			return nil, err
		}
		replay, err := r.bench.Replay(ctx, u.URL)
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

// copyTopic is where the copy goes.
func (r *benchRun) copyTopic() string { return r.cfg.Kafka.TopicPrefix + "copy" }

// endPart ends a part before the run does.
func (r *benchRun) endPart(ctx context.Context, part *bench.Part) error {
	r.parts = slices.DeleteFunc(r.parts, func(p *bench.Part) bool { return p == part })
	return part.End(ctx)
}

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
func (r *benchRun) worker(ctx context.Context, group, url string) (*bench.Part, error) {
	phase := group
	group = r.cfg.Kafka.Group + "-" + phase
	r.groups = append(r.groups, group, group+"-workers")
	// Without commits a group goes on at the floor, and reads nothing again.
	first := map[int]int64{}
	for partition := range r.Partitions {
		first[partition] = 0
	}
	if err := r.client.SetOffsets(ctx, group, r.cfg.Kafka.Topics().Requests, first); err != nil {
		return nil, explainKafka(err)
	}
	env := []string{
		"TOPLU_KAFKA_TOPICPREFIX=" + r.cfg.Kafka.TopicPrefix, "TOPLU_KAFKA_GROUP=" + group, "TOPLU_KAFKA_STARTAT=first",
		"TOPLU_REDIS_KEYPREFIX=" + r.cfg.Redis.KeyPrefix, "TOPLU_ADMIN_LISTEN=127.0.0.1:0",
		"TOPLU_BATCH_MAXITEMS=" + strconv.Itoa(r.Batch), "TOPLU_BATCH_MAXWAIT=" + r.MaxWait.String(),
		"TOPLU_IYZICO_BASEURL=" + url, "TOPLU_IYZICO_PAGESIZE=" + strconv.Itoa(r.PageSize),
		"TOPLU_MERCHANTS_DEFAULT_APIKEY=" + sandboxKey, "TOPLU_MERCHANTS_DEFAULT_SECRETKEY=" + sandboxSecret,
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
	rdb, err := dialRedis(r.cfg.Redis)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	defer rdb.Close()
	store := redisclaim.New(rdb, r.cfg.Redis.KeyPrefix)
	defer store.Close()
	errs = append(errs, store.Remove(ctx), os.RemoveAll(r.dir))
	return errors.Join(errs...)
}

// progress shows how far each step is, on a terminal.
func (r *benchRun) progress() func(what string, done, of int) {
	if !isTerminal(r.program.stderr) {
		return func(string, int, int) {}
	}
	current := ""
	bar := r.program.progress(0, "")
	r.quiet = func() { _ = bar.Exit() }
	return func(what string, done, of int) {
		if what != current {
			_ = bar.Exit()
			current, bar = what, r.program.progress(of, what)
		}
		_ = bar.Set(done)
	}
}

func (b *benchReport) say(p *program) {
	l := &b.Life
	p.say("%d payouts in %d batches, %s s: %d payouts/s", l.Payouts, l.Batches, l.Seconds, l.PayoutsPerSecond)
	p.say("worker      %s µs of CPU, %s allocations, %d bytes allocated a payout; at most %d MiB resident", l.CPUMicros, l.Allocations, l.AllocatedBytes, l.PeakMiB)
	p.say("simulator   %s µs of CPU a payout, beside it", l.Simulator)
	for _, s := range []struct {
		name string
		took bench.Spread
	}{{"to init", l.ToInit}, {"to submitted", l.ToSubmitted}, {"to paid", l.ToPaid}} {
		p.say("%-12sp50 %s, p99 %s", s.name, s.took.P50.Round(time.Millisecond), s.took.P99.Round(time.Millisecond))
	}
	var calls []string
	for _, op := range slices.Sorted(maps.Keys(l.Calls)) {
		calls = append(calls, fmt.Sprintf("%s %s", op, l.Calls[op]))
	}
	p.say("iyzico      calls per 1,000 payouts: %s", strings.Join(calls, ", "))
	for _, topic := range slices.Sorted(maps.Keys(l.Topics)) {
		t := l.Topics[topic]
		p.say("%-20s %9d records, %d bytes a payout", topic, t.Records, t.Bytes/int64(l.Payouts))
	}
	if r := b.Replay; r != nil {
		p.say("replay      %s s: %d known requests/s, %s µs of CPU, %s allocations each", r.Seconds, r.RequestsPerSecond, r.CPUMicros, r.Allocations)
	}
	if c := b.Copy; c != nil {
		p.say("copy        %s s: %d payouts/s; its reading of the requests alone %d/s", c.Seconds, c.PayoutsPerSecond, c.RequestsPerSecond)
	}
}
