//go:build integration

package e2e_test

import (
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/toplu/toplu/internal/realparts"
)

// TestNotThereYet starts the program before anything that it needs is there.
func TestNotThereYet(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	w.must(w.kafka.Stop())
	w.cut(w.redisWay)
	w.cut(w.iyzicoWay)

	run := w.launch("run")
	run.says(t, `"message":"waiting for kafka"`, 20*time.Second)
	pause(t, 3*time.Second)
	w.must(w.kafka.Restart(t.Context()))
	run.says(t, `"message":"waiting for redis"`, 20*time.Second)
	w.send(w.shop.make("", 20))
	w.mend(w.redisWay)
	run.says(t, `iyzico does not answer yet`, 20*time.Second)
	run.says(t, "toplu is running", 20*time.Second)
	pause(t, 2*time.Second)
	if n := l.count("submitted", "paid", "failed", "rejected"); n > 0 {
		t.Errorf("%d payouts are answered without iyzico", n)
	}
	w.mend(w.iyzicoWay)
	w.judge(l, 30*time.Second)
	w.stopAll()
}

// TestGone takes Kafka, Redis and iyzico away for a while each, under load.
func TestGone(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	l := w.follow()
	w.runTwo()
	gone(t, w, l, 12*time.Second, []outage{
		{"iyzico", func() { w.cut(w.iyzicoWay) }, func() { w.mend(w.iyzicoWay) }},
		{"Redis", func() { w.must(w.redis.Stop()) }, func() { w.must(w.redis.Restart(t.Context())) }},
		{"Kafka", func() { w.must(w.kafka.Stop()) }, func() { w.must(w.kafka.Restart(t.Context())) }},
	})
}

// An outage is something that goes away and comes back.
type outage struct {
	name     string
	down, up func()
}

// gone has each part away for a while under load, and checks that payouts go on
// after it.
func gone(t *testing.T, w *world, l *ledger, d time.Duration, outages []outage) {
	t.Helper()
	for _, o := range outages {
		stop := w.load(10, nil)
		pause(t, 2*time.Second)
		o.down()
		pause(t, d)
		o.up()
		up := time.Now()
		took := l.awaitPaid(t, up, []int{0, 1, 2, 3}, 60*time.Second)
		stop()
		t.Logf("%s gone for %s: first payout %.1f s after it is back", o.name, d, took.Seconds())
		w.judge(l, 60*time.Second)
	}
	w.stopAll()
}

// TestRefusesToStart shows what waiting does not mend: each ends with exit
// status 1 and says what to do.
func TestRefusesToStart(t *testing.T) {
	w := newWorld(t, realparts.Kafka42)
	refuses := func(t *testing.T, name string, env []string, want ...string) {
		t.Helper()
		w.env = env
		p := w.launch(name)
		w.env = nil
		if status := p.wait(t, 20*time.Second); status != 1 {
			t.Errorf("exit status %d, want 1", status)
		}
		for _, text := range want {
			p.says(t, text, time.Second)
		}
	}
	t.Run("wrong secrets of all merchants", func(t *testing.T) {
		refuses(t, "secret", []string{"TOPLU_MERCHANTS_DEFAULT_SECRETKEY=wrong", "TOPLU_MERCHANTS_MARKET_SECRETKEY=wrong"},
			`iyzico refuses the keys of every merchant`, `Check merchants\.\*\.apiKey and secretKey`)
	})
	t.Run("wrong Redis password", func(t *testing.T) {
		w.redisDo("CONFIG", "SET", "requirepass", "right")
		refuses(t, "password", []string{"TOPLU_REDIS_PASSWORD=wrong"}, `redis refuses the login`, `Check redis\.username and redis\.password`)
		refuses(t, "nologin", nil, `redis refuses the login`)
		w.redisDoAs("right", "CONFIG", "SET", "requirepass", "")
	})
	t.Run("Redis that evicts", func(t *testing.T) {
		w.redisDo("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
		refuses(t, "evicts", nil, `noeviction`)
		w.redisDo("CONFIG", "SET", "maxmemory-policy", "noeviction")
	})
	t.Run("no topics", func(t *testing.T) {
		refuses(t, "missing", []string{"TOPLU_KAFKA_TOPICPREFIX=none."}, `none\.payout\.journal is missing`, `toplu topics create`)
	})
	t.Run("compacted journal", func(t *testing.T) {
		w.topics("compact.", 4, kafka.ConfigEntry{ConfigName: "cleanup.policy", ConfigValue: "compact"})
		refuses(t, "compact", []string{"TOPLU_KAFKA_TOPICPREFIX=compact."}, `compact\.payout\.journal has cleanup\.policy=compact.* set cleanup\.policy=delete`)
	})
	t.Run("journal that forgets", func(t *testing.T) {
		w.topics("forgets.", 4, kafka.ConfigEntry{ConfigName: "retention.ms", ConfigValue: "604800000"})
		refuses(t, "forgets", []string{"TOPLU_KAFKA_TOPICPREFIX=forgets."}, `set retention\.ms=-1`)
	})
	t.Run("differing partitions", func(t *testing.T) {
		w.topics("differ.", 3)
		refuses(t, "differ", []string{"TOPLU_KAFKA_TOPICPREFIX=differ."}, `journal has 3 partitions and differ\.payout\.batches has 4`)
	})
	t.Run("more partitions than at the beginning", func(t *testing.T) {
		p := w.run("grown")
		w.send(w.shop.make("", 1))
		w.follow().awaitAnswers(t, 1, 20*time.Second)
		p.end(t)
		for _, topic := range []string{"payout.batches", "payout.journal"} {
			_, err := w.admin().CreatePartitions(t.Context(), &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 5}}})
			w.must(err)
		}
		refuses(t, "grown", nil, `partitions`)
	})
	w.discreet()
}

// topics makes the six topics with a prefix and 4 partitions, but the journal
// with others, and with what is wrong about it.
func (w *world) topics(prefix string, journal int, wrong ...kafka.ConfigEntry) {
	w.t.Helper()
	forever := []kafka.ConfigEntry{{ConfigName: "retention.ms", ConfigValue: "-1"}, {ConfigName: "retention.bytes", ConfigValue: "-1"}}
	var specs []kafka.TopicConfig
	for _, name := range []string{"requests", "batches", "journal", "statuses", "requests.dlq", "commands"} {
		spec := kafka.TopicConfig{Topic: prefix + "payout." + name, NumPartitions: 4, ReplicationFactor: 1, ConfigEntries: forever}
		switch name {
		case "journal":
			spec.NumPartitions = journal
			if len(wrong) > 0 {
				spec.ConfigEntries = wrong
			}
		case "requests.dlq":
			spec.ConfigEntries = append(forever[:2:2], kafka.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "3000000"})
		}
		specs = append(specs, spec)
	}
	res, err := w.admin().CreateTopics(w.t.Context(), &kafka.CreateTopicsRequest{Topics: specs})
	w.must(err)
	for _, err := range res.Errors {
		w.must(err)
	}
}
