package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/toplu/toplu/consumer/kafkasource"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// floors keep the consumer's floors in the journals.
type floors struct{ of *service }

// Read implements [kafkasource.Floors].
func (f floors) Read(ctx context.Context) ([]schema.Floor, error) {
	var all []schema.Floor
	for shard := range f.of.shards {
		_, journal := f.of.logs(shard)
		some, err := worker.ReadFloors(ctx, journal)
		switch {
		case errors.Is(err, worker.ErrNotBegun):
			return all, kafkasource.ErrNotBegun
		case errors.Is(err, worker.ErrClosed):
			return all, kafkasource.Stopped("shard %d: %v", shard, err)
		case err != nil:
			return all, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// Raise implements [kafkasource.Floors].
func (f floors) Raise(ctx context.Context, raised []schema.Floor) error {
	byShard := map[int][]schema.Floor{}
	for _, fl := range raised {
		shard := worker.FloorShard(fl.Partition, f.of.shards)
		byShard[shard] = append(byShard[shard], fl)
	}
	for shard, some := range byShard {
		_, journal := f.of.logs(shard)
		if err := worker.RaiseFloors(ctx, journal, some, time.Now); err != nil {
			return err
		}
	}
	return nil
}

// mendEvery is how often it is asked whether a person has mended what stops the
// consumer.
const mendEvery = 5 * time.Second

// stopMetric tells of topics that are not read.
func stopMetric(r prometheus.Registerer) *prometheus.GaugeVec {
	stopped := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "toplu_requests_stopped", Help: "1 while no requests are read from a topic until a person has acted; /readyz says why, or toplu status where no merchant names the topic any more.",
	}, []string{"topic"})
	r.MustRegister(stopped)
	return stopped
}

// stopReading says why a topic's requests are not read; "": they are.
func (s *service) stopReading(topic, why string) {
	s.health.set("requests of "+topic, why)
	stopped := 0.0
	if why != "" {
		stopped = 1
	}
	s.unread.WithLabelValues(topic).Set(stopped)
}

// untilMended repeats f, which reads a topic, while it is stopped by what a person
// mends: by a command, or by making a merchant's topic again. The workers go on
// meanwhile, they are the ones who take the command, and so do the other topics.
func (s *service) untilMended(ctx context.Context, topic string, f func() error) error {
	told := ""
	for {
		err := f()
		var text string
		if stopped, ok := errors.AsType[*kafkasource.StoppedError](err); ok {
			text = stopped.Error()
		} else if errors.Is(err, kafkaio.ErrTopicMissing) && topic != s.topics.Requests {
			text = err.Error()
		} else {
			return err
		}
		if text != told {
			told = text
			s.log.Error().Str("topic", topic).Msg("no requests are read: " + text)
		}
		s.stopReading(topic, "no requests are read: "+told)
		wait := time.NewTimer(mendEvery)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
	}
}
