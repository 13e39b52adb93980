package consumer

import (
	"cmp"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"github.com/toplu/toplu/schema"
)

// DefaultMaxUnanswered is the default of [Config.MaxUnanswered].
const DefaultMaxUnanswered = 100_000

// Config says when batches are sealed. The zero value of every field is safe.
type Config struct {
	// CommitEvery is the least time between two commits. Defaults to 500 ms.
	CommitEvery time.Duration
	// Log gets troubles, and what is refused; nothing about persons.
	Log zerolog.Logger
	// MaxAmount is the sum, in minor units of its currency, that a batch may not
	// exceed. A single larger payout is a batch of its own. 0: no limit.
	MaxAmount int64
	// MaxBytes is the size of a plan record that no batch exceeds. It must stay
	// below what payout.batches takes, and above a single request: 70,000 or
	// more. Defaults to 900,000.
	MaxBytes int
	// MaxItems is how many items a batch may have. Defaults to 500.
	MaxItems int
	// MaxOpen is how many batches may be filled at the same time, one for each
	// merchant, purpose, currency and shard; the oldest is sealed to make room.
	// Defaults to 1,000.
	MaxOpen int
	// MaxUnanswered is how many requests a run may have read and not be able to
	// commit, since they, or others before them, have no answer yet. Above it the
	// oldest batches are sealed before more is read. It bounds memory, and what is
	// read again after a crash. Defaults to [DefaultMaxUnanswered].
	MaxUnanswered int
	// MaxWait is the age of its first item at which a batch is sealed. 0: after
	// every chunk.
	MaxWait time.Duration
	// Merchants says by name when the batches of those are sealed that have a
	// policy of their own.
	Merchants map[string]Policy
	// Metrics counts. May be nil.
	Metrics *Metrics
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// Rules are what requests are checked by. Nil: every merchant is known.
	Rules *schema.Rules
	// Sampling says how many requests are asked for. The zero value has defaults.
	Sampling Sampling
	// StopTimeout is how long an ending run may take to write the plans of what
	// it has read, and then again for the last commit. Twice StopTimeout must
	// stay below the group's session time-out. Defaults to 3 s.
	StopTimeout time.Duration
	// Tracer records what becomes of requests whose trace is recorded, and the
	// sealing of batches. Nil: nothing is traced.
	Tracer trace.Tracer
	// Steady leaves the jitter out of every back-off, so that a simulated run can
	// be repeated.
	Steady bool
}

// A Policy says when a merchant's batches are sealed and may be paid. The fields
// are those of [Config]; where MaxItems or MaxBytes is 0, that of Config holds.
type Policy struct {
	MaxItems  int
	MaxAmount int64
	MaxBytes  int
	MaxWait   time.Duration
	CutOff    *CutOff // nil: it may be paid at any time
}

// Sampling says how few of a shard's requests are asked for, while they are new.
type Sampling struct {
	NewInRow int // so many in a row must have been new. Defaults to 16.
	OneIn    int // then one in so many is looked at. Defaults to 16.
	// Unasked is how many may be planned like this until a worker has folded what
	// was planned: without workers nothing more is planned then. Defaults to 20,000.
	Unasked int
}

// policy is what holds for a merchant.
func (c Config) policy(merchant string) Policy {
	p, ok := c.Merchants[merchant]
	if !ok {
		return Policy{MaxItems: c.MaxItems, MaxAmount: c.MaxAmount, MaxBytes: c.MaxBytes, MaxWait: c.MaxWait}
	}
	p.MaxItems, p.MaxBytes = cmp.Or(p.MaxItems, c.MaxItems), cmp.Or(p.MaxBytes, c.MaxBytes)
	return p
}

func (c Config) withDefaults() Config {
	number := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	number(&c.MaxBytes, 900_000)
	number(&c.MaxItems, 500)
	number(&c.MaxOpen, 1000)
	number(&c.MaxUnanswered, DefaultMaxUnanswered)
	number(&c.Sampling.NewInRow, 16)
	number(&c.Sampling.OneIn, 16)
	number(&c.Sampling.Unasked, 20_000)
	if c.CommitEvery <= 0 {
		c.CommitEvery = 500 * time.Millisecond
	}
	if c.StopTimeout <= 0 {
		c.StopTimeout = 3 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the clock itself
	}
	return c
}

// logBurst is how many lines about refused or odd requests are logged in a
// minute. All are counted; a flood of them must not be one of the log.
const logBurst = 100

// sampled is the log for what may come by the hundred thousand.
func sampled(log zerolog.Logger) zerolog.Logger {
	return log.Sample(&zerolog.BurstSampler{Burst: logBurst, Period: time.Minute})
}
