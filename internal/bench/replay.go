package bench

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/toplu/toplu/internal/kafkaio"
)

// A Replay is what reading requests again costs that are all known.
type Replay struct {
	Seconds           Seconds `json:"seconds"`
	RequestsPerSecond int64   `json:"requestsPerSecond"`
	CPUMicros         Tenths  `json:"cpuMicrosPerRequest"`
	Allocations       Tenths  `json:"allocationsPerRequest"`
}

// Replay has a new worker under a new group read all requests of the run again,
// whose workers must have ended. It fails if anything is planned again.
func (b *Bench) Replay(ctx context.Context) (Replay, error) {
	worker, err := b.Worker(ctx, "replay", b.url, b.first())
	if err != nil {
		return Replay{}, err
	}
	n := int64(b.written + b.probes)
	u, err := b.await(ctx, worker, "reading again", n, func(u *Usage) int64 { return u.Counts["duplicate"] })
	if err != nil {
		return Replay{}, err
	}
	if u.Counts["plans"] > 0 {
		return Replay{}, errPlannedAgain
	}
	took := u.Done.Sub(u.Began)
	return Replay{
		Seconds: Seconds(took), RequestsPerSecond: perSecond(n, took), CPUMicros: tenths((u.CPU - u.CPUAtStart).Microseconds(), n),
		Allocations: tenths(int64(u.Mallocs-u.AtStart), n),
	}, nil
}

// A Copy is what the Kafka client alone takes for the same records.
type Copy struct {
	Seconds           Seconds `json:"seconds"`
	PayoutsPerSecond  int64   `json:"payoutsPerSecond"`
	ReadSeconds       Seconds `json:"readSeconds"` // of the requests alone
	RequestsPerSecond int64   `json:"requestsPerSecond"`
}

// Copy reads every record of the run and writes it to one other topic, which is
// there already, with the client that the service has. Before that it reads the
// requests alone. Partitions go at the same time.
func (b *Bench) Copy(ctx context.Context, to string) (Copy, error) {
	began := b.Now()
	if err := b.readAtOnce(ctx, b.Topics.Requests, func(int, []kafkaio.Record) error { return nil }); err != nil {
		return Copy{}, err
	}
	read := b.Now().Sub(began)
	began = b.Now()
	group, ctx := errgroup.WithContext(ctx)
	for _, topic := range []string{b.Topics.Requests, b.Topics.Batches, b.Topics.Journal, b.Topics.Statuses} {
		group.Go(func() error {
			return b.readAtOnce(ctx, topic, func(partition int, records []kafkaio.Record) error {
				messages := make([]kafkaio.Message, len(records))
				for i := range records {
					messages[i] = kafkaio.Message{Key: records[i].Key, Value: records[i].Value, Headers: records[i].Headers, Partition: &partition}
				}
				return b.Kafka.Publish(ctx, to, messages)
			})
		})
	}
	if err := group.Wait(); err != nil {
		return Copy{}, err
	}
	took := b.Now().Sub(began)
	n := int64(b.written + b.probes)
	return Copy{
		Seconds: Seconds(took), PayoutsPerSecond: perSecond(n, took),
		ReadSeconds: Seconds(read), RequestsPerSecond: perSecond(n, read),
	}, nil
}

// perSecond is how many of n there are in a second.
func perSecond(n int64, took time.Duration) int64 {
	return n * int64(time.Second) / max(1, int64(took))
}
