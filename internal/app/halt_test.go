package app

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/segmentio/kafka-go"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/demo"
	"github.com/toplu/toplu/internal/kafkaio"
)

// TestHaltSaysWhy changes what must never change under a service: the number of
// shards. All of them stop, and /readyz says why, whoever has them at the moment.
func TestHaltSaysWhy(t *testing.T) {
	t.Parallel()
	parts, err := demo.Start(t.Context(), time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer parts.Close()
	env := parts.Env()
	cfg, err := config.Load("", func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	s, err := newService(cfg, Roles{Worker: true}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	var topics []kafkaio.TopicSpec
	for _, name := range allTopics(s.topics) {
		configs := map[string]string{"retention.ms": "-1", "retention.bytes": "-1"}
		if name == s.topics.DLQ {
			configs["max.message.bytes"] = "2000000"
		}
		topics = append(topics, kafkaio.TopicSpec{Name: name, Partitions: 2, Configs: configs})
	}
	if err := s.kafka.CreateTopics(t.Context(), topics...); err != nil {
		t.Fatal(err)
	}
	if err := s.checkKafka(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.worker = s.newWorker()
	s.health.watch(s.worker)
	s.watchTopics(t.Context())
	if why := s.health.problems(); len(why) > 0 {
		t.Fatalf("not ready with the topics as they were: %v", why)
	}
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	admin := kafka.Client{Addr: kafka.TCP(parts.Brokers()...), Transport: transport}
	res, err := admin.CreatePartitions(t.Context(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: s.topics.Journal, Count: 3}}})
	if err != nil || res.Errors[s.topics.Journal] != nil {
		t.Fatal(err, res.Errors)
	}
	s.watchTopics(t.Context())
	why := strings.Join(s.health.problems(), "")
	if !strings.HasPrefix(why, "all shards have stopped: ") || !strings.Contains(why, "payout.journal has 3 partitions and payout.batches has 2") {
		t.Errorf("not ready since: %q", why)
	}
}
