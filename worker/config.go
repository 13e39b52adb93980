package worker

import (
	"cmp"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"github.com/toplu/toplu/schema"
)

// Config says how the shards of a worker are driven. Zero values become the
// defaults, which are safe for production.
type Config struct {
	// Partitions is how many partitions payout.batches has. Defaults to 1.
	Partitions int
	// Grace is how long a question to iyzico is asked again before its answer
	// (not there, still INIT, different) is believed, counted on this session's
	// own clock from its own first look. Defaults to 30 s.
	Grace time.Duration
	// PageSize is how many items a report page is asked for. When iyzico answers
	// with fewer, its size is used. Defaults to 1000.
	PageSize int
	// ReportInterval is the time between two looks at a batch that moves.
	// Defaults to 2 s.
	ReportInterval time.Duration
	// ReportMaxInterval is the time between two looks at a batch that stays as
	// it is. Defaults to 1 h.
	ReportMaxInterval time.Duration
	// ReportGiveUp is how long a failed item is watched for its money to come
	// back, and how old an unanswered batch gets before each look raises the
	// alarm. Defaults to 30 days.
	ReportGiveUp time.Duration
	// Alarm is how long a batch may show INIT after auth answered success, or
	// stay unreadable after completing, before it is unknown. Defaults to ten
	// times Grace.
	Alarm time.Duration
	// MaxOpen is how many unanswered batches a merchant may have in flight in
	// one shard. Defaults to 8.
	MaxOpen int
	// Merchants has what holds for single merchants, by name.
	Merchants map[string]Terms
	// SkipAmounts switches the comparison of amounts before completing off.
	SkipAmounts bool
	// SkipBalance switches the look at the balance before completing off.
	SkipBalance bool
	// RejectCodes lists the codes with which a refusal of init rejects the
	// items. Every other code holds the batch for a person.
	RejectCodes []string
	// StopTimeout is how long calls in flight may take to finish when the shard is
	// given up. Defaults to 12 s.
	StopTimeout time.Duration
	// CheckpointRecords is how many journal records pass between two
	// checkpoints. Defaults to 2000.
	CheckpointRecords int
	// Steady leaves the jitter out of every back-off, so that a simulated run can
	// be repeated. Real workers need the jitter: they would all ask at once.
	Steady bool
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&c.Grace, 30*time.Second)
	set(&c.ReportInterval, 2*time.Second)
	set(&c.ReportMaxInterval, time.Hour)
	set(&c.ReportGiveUp, 30*24*time.Hour)
	set(&c.StopTimeout, 12*time.Second)
	set(&c.Alarm, 10*c.Grace)
	c.ReportMaxInterval = max(c.ReportMaxInterval, c.ReportInterval)
	if c.Partitions == 0 {
		c.Partitions = 1
	}
	if c.PageSize == 0 {
		c.PageSize = 1000
	}
	if c.MaxOpen == 0 {
		c.MaxOpen = 8
	}
	if c.CheckpointRecords == 0 {
		c.CheckpointRecords = 2000
	}
	return c
}

// Terms are what holds for one merchant.
type Terms struct {
	// MaxOpen is how many unanswered batches it may have in flight in one shard.
	// 0: Config.MaxOpen.
	MaxOpen int
	// MaxPayout and MaxBatch are the largest payout and the largest batch, in
	// minor units of their own currency, that are paid without a person. 0: no
	// limit.
	MaxPayout, MaxBatch int64
	// Topics are those that its requests, and so their cancels, are taken from.
	Topics []string
	// BalanceCurrency is the currency of its balance, which iyzico tells without
	// one. Defaults to lira.
	BalanceCurrency schema.Currency
}

// terms are what holds for the merchant.
func (c Config) terms(merchant string) Terms {
	t := c.Merchants[merchant]
	t.MaxOpen = cmp.Or(t.MaxOpen, c.MaxOpen)
	t.BalanceCurrency = cmp.Or(t.BalanceCurrency, schema.TRY)
	return t
}

// A Clock tells the time.
type Clock func() time.Time

// Ports are what a shard stands on. Each is a contract; the safety argument
// needs what they promise and nothing else.
type Ports struct {
	Plans       Log
	Journal     Log
	Commands    Log // the shard's partition of payout.commands; nil: there are none
	Claims      Claims
	Statuses    Publisher
	DeadLetters Publisher
	Originals   Originals
	Seal        Seal // nil: there are no keys
	// Merchant returns the provider of a merchant, false if it is not configured.
	Merchant func(name string) (Provider, bool)
	// Standing tells whether iyzico can be called for a merchant; nil: always.
	// Nothing is begun, and no completing written, while it is [Stopped].
	Standing func(merchant string) Standing
	// Reserves are shared with the other workers; nil: there are none.
	Reserves Reserves
	// Now is the clock. NewID makes a fresh random id; it must never repeat.
	Now     Clock
	NewID   func() string
	Log     zerolog.Logger
	Metrics *Metrics
	Tracer  trace.Tracer // nil: nothing is traced
}
