package app

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/toplu/toplu/internal/config"
)

type benchCommand struct {
	jsonFlag
	Payouts    int           `default:"100000" help:"Payouts that are paid. Default: ${default}." placeholder:"N"`
	Rate       int           `help:"Requests a second that arrive while the service runs. Default: all wait in payout.requests when it begins." placeholder:"N"`
	Before     int           `help:"Payouts that are paid before, without being measured." placeholder:"N"`
	Batch      int           `default:"1000" help:"Items of a batch. Default: ${default}." placeholder:"N"`
	MaxWait    time.Duration `default:"500ms" help:"Age at which a batch that is not full is sealed. Default: ${default}." placeholder:"DURATION"`
	PageSize   int           `default:"1000" help:"Items asked for in one page of a report. Default: ${default}." placeholder:"N"`
	Partitions int           `default:"4" help:"Partitions of every topic. Default: ${default}." placeholder:"N"`
	Idle       bool          `help:"Also watch the service while it has nothing to do."`
	Rebuild    bool          `help:"Also empty Redis, which must hold nothing else, and wait until payouts are paid again."`
	Restart    bool          `help:"Also stop the service, kill it, and wait each time until the next one pays, with one batch of each shard open since before all others."`
	Behind     int           `help:"With --restart: records of one payout each, paid elsewhere, that come into the plan log before all others but the open batches." placeholder:"N"`
	Replay     bool          `help:"Also read all requests again, which are then known."`
	Copy       bool          `help:"Also read and write the same records with the Kafka client alone."`
	Stalled    bool          `help:"Instead of all that, have an iyzico that answers nothing, and tell how much memory the waiting payouts take."`
	Watch      time.Duration `default:"30s" help:"How long an idle or a stalled service is watched. Default: ${default}." placeholder:"DURATION"`
	Yes        bool          `help:"Run against brokers or a Redis that are not on this machine."`
	Profile    string        `help:"Existing folder for CPU and allocation profiles of the worker's process." placeholder:"DIR" type:"existingdir"`
	Keep       bool          `help:"Leave the topics and keys there, to be looked at."`
}

// Help says more than the line in the list of commands.
func (*benchCommand) Help() string {
	return `Measures the whole life of payouts: so many requests wait in Kafka, and the service plans, claims, creates, verifies, completes and reports them, against the configured Kafka and Redis and a simulated iyzico that answers at once. Service and simulator are processes of their own, so that CPU time, memory and allocations are the service's alone.

With --rate requests arrive one after the other instead, and what counts is how long each takes: to iyzico's answer to init beyond the time that its batch waits to be sealed, and to paid.

Topics, consumer groups and keys are made for the run, under a prefix of its own that no live worker sees, and removed after it. Nothing is paid. What is measured is as fast as the machine and what else runs on it; docs/benchmarks.md has figures, and what they mean.

Example:

  toplu bench --payouts 100000 --replay --copy --config toplu.yaml
  toplu bench --payouts 60000 --rate 1000 --config toplu.yaml`
}

// Run measures.
func (c *benchCommand) Run(ctx context.Context, p *program) (err error) {
	if c.Payouts < 1 || c.Payouts > 20_000_000 || c.Before < 0 || c.Before > 20_000_000 || c.Rate < 0 || c.Rate > 1_000_000 ||
		c.Batch < 1 || c.Batch > 5000 || c.Partitions < 1 {
		return usageError{"--payouts: allowed: 1 to 20000000; --before: 0 to 20000000; --rate: 0 to 1000000; --batch: 1 to 5000; --partitions: 1 and more"}
	}
	if c.Behind < 0 || c.Behind > 20_000_000 || c.Behind > 0 && !c.Restart {
		return usageError{"--behind: allowed: 0 to 20000000, and only with --restart"}
	}
	if c.Stalled && (c.Rate > 0 || c.Before > 0 || c.Idle || c.Rebuild || c.Restart || c.Replay || c.Copy) {
		return usageError{"--stalled pays nothing, so there is nothing for --rate, --before, --idle, --rebuild, --restart, --replay and --copy"}
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
