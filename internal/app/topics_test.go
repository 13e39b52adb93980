package app_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/toplu/toplu/internal/app"
	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
)

type topicsReport struct {
	OK      bool
	Created []string
	Topics  []struct {
		Name                                       string
		Partitions, Replication, MinInsyncReplicas int
		CleanupPolicy                              string
		RetentionMS, RetentionBytes                int64
		MaxMessageBytes                            int
	}
	Problems []app.Problem
}

// plus returns the environment with more in it.
func plus(env map[string]string, pairs ...string) map[string]string {
	all := maps.Clone(env)
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		all[name] = value
	}
	return all
}

func kafkaOf(t *testing.T, env map[string]string) (*config.Config, *kafkaio.Client) {
	t.Helper()
	cfg, err := config.Load("", func(name string) string { return env[name] }, "kafka")
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafkaio.Dial(kafkaio.Config{Brokers: cfg.Kafka.Brokers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return cfg, client
}

func TestTopicsCreate(t *testing.T) {
	t.Parallel()
	env := plus(fakeKafka(t), "TOPLU_KAFKA_REPLICATION=1", "TOPLU_KAFKA_MININSYNCREPLICAS=1")
	run(t, env, "", "topics", "check").want(t, 1, "", "topic payout.journal is missing: toplu topics create makes it")

	r := run(t, env, "", "topics", "create", "--json")
	report := decode[topicsReport](t, r)
	var got []string
	for _, topic := range report.Topics {
		got = append(got, fmt.Sprintf("%s %d %d %s %d %d", topic.Name, topic.Partitions, topic.MinInsyncReplicas, topic.CleanupPolicy, topic.RetentionMS, topic.MaxMessageBytes))
	}
	want := []string{
		"payout.requests 4 1 delete 604800000 1048588", // the broker's defaults
		"payout.batches 4 1 delete -1 1048588",
		"payout.journal 4 1 delete -1 1048588",
		"payout.statuses 4 1 delete 2592000000 1048588",
		"payout.requests.dlq 4 1 delete -1 2097164",
		"payout.commands 4 1 delete -1 1048588",
	}
	if diff := cmp.Diff(want, got); diff != "" || !report.OK || r.code != 0 || len(report.Created) != 6 {
		t.Errorf("%s\n%+v", diff, r)
	}

	again := run(t, env, "", "topics", "create")
	again.want(t, 0, "topics: fine", "warning: topic payout.batches has 1 replicas and min.insync.replicas=1: below 3 and 2")
	if strings.Contains(again.out, "created") {
		t.Errorf("created twice: %s", again.out)
	}
	run(t, env, "", "topics", "check").want(t, 0, "topics: fine", "")
	run(t, env, "", "topics", "create", "--partitions", "8").want(t, 1, "", "topic payout.journal is there with 4 partitions, not 8")
}

func TestTopicsCreateFollowsWhatIsThere(t *testing.T) {
	t.Parallel()
	env := plus(fakeKafka(t), "TOPLU_KAFKA_TOPICPREFIX=test.")
	_, client := kafkaOf(t, env)
	err := client.CreateTopics(t.Context(), kafkaio.TopicSpec{Name: "test.payout.batches", Partitions: 2, Configs: map[string]string{"retention.ms": "-1", "retention.bytes": "-1"}},
		kafkaio.TopicSpec{Name: "test.payout.requests", Partitions: 3, Configs: map[string]string{"max.message.bytes": "5000000"}})
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, env, "", "topics", "create", "--json")
	report := decode[topicsReport](t, r)
	for _, topic := range report.Topics {
		if topic.Name == "test.payout.journal" && topic.Partitions != 2 {
			t.Errorf("the journal has %d partitions, and the batches have 2", topic.Partitions)
		}
		if topic.Name == "test.payout.requests.dlq" && topic.MaxMessageBytes <= 5000000 {
			t.Errorf("the dead-letter topic takes %d bytes, less than the requests", topic.MaxMessageBytes)
		}
	}
	if r.code != 0 || len(report.Created) != 4 {
		t.Errorf("got %+v", r)
	}
}

func TestCheckTopics(t *testing.T) {
	t.Parallel()
	env := fakeKafka(t)
	cfg, client := kafkaOf(t, plus(env, "TOPLU_KAFKA_REPLICATION=3"))
	topic := func(name string, partitions int, configs ...string) kafkaio.TopicSpec {
		return kafkaio.TopicSpec{Name: name, Partitions: partitions, Replication: 1, Configs: plus(map[string]string{}, configs...)}
	}
	err := client.CreateTopics(
		t.Context(),
		topic("payout.requests", 1, "cleanup.policy=compact"),
		topic("payout.batches", 4, "cleanup.policy=compact,delete", "retention.ms=-1", "max.message.bytes=500000"),
		topic("payout.journal", 3, "retention.ms=1000", "retention.bytes=5000", "min.insync.replicas=2"),
		topic("payout.requests.dlq", 1, "cleanup.policy=compact"),
		topic("payout.commands", 1),
	)
	if err != nil {
		t.Fatal(err)
	}
	problems, err := app.CheckTopics(t.Context(), client, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		if !strings.Contains(p.Text, "replica") || strings.Contains(p.Text, "nothing can be written") {
			got = append(got, p.String())
		}
	}
	want := []string{
		"warning: topic payout.requests has cleanup.policy=compact, which drops all but the last record of a key: set cleanup.policy=delete",
		"topic payout.batches has cleanup.policy=compact,delete, which drops all but the last record of a key: set cleanup.policy=delete",
		"topic payout.batches has max.message.bytes=500000, but batch.maxBytes=900000 needs 904096: raise it, or lower batch.maxBytes",
		"topic payout.journal needs min.insync.replicas=2 but has 1 replicas: nothing can be written",
		"topic payout.journal has retention.ms=1000 and would forget what has been paid: set retention.ms=-1",
		"topic payout.journal has retention.bytes=5000 and would forget what has been paid: set retention.bytes=-1",
		"topic payout.statuses is missing: toplu topics create makes it",
		"topic payout.requests.dlq has cleanup.policy=compact, which drops all but the last record of a key: set cleanup.policy=delete",
		"topic payout.journal has 3 partitions and payout.batches has 4: both must have the same number, from their creation on",
		"topic payout.requests.dlq has max.message.bytes=1048588, but must take what payout.requests takes (1048588) and a reason: set max.message.bytes to 1052684 or more",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if all := fmt.Sprint(problems); !strings.Contains(all, "topic payout.batches has 1 replicas, but kafka.replication asks for 3") {
		t.Errorf("replication: %s", all)
	}
}

func TestKafkaLogin(t *testing.T) {
	t.Parallel()
	env := plus(fakeKafka(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "toplu", "hush")), "TOPLU_KAFKA_USERNAME=toplu", "TOPLU_KAFKA_TIMEOUT=2s")
	run(t, plus(env, "TOPLU_KAFKA_PASSWORD=hush"), "", "topics", "create").want(t, 0, "topics: fine", "")
	r := run(t, plus(env, "TOPLU_KAFKA_PASSWORD=wrong-one"), "", "topics", "check")
	r.want(t, 1, "", "see kafka.tls, kafka.username and kafka.password")
	if strings.Contains(r.errors, "wrong-one") {
		t.Errorf("a secret is shown: %s", r.errors)
	}
}

func TestKafkaNotThere(t *testing.T) {
	t.Parallel()
	env := map[string]string{"TOPLU_KAFKA_BROKERS": "127.0.0.1:1", "TOPLU_KAFKA_TIMEOUT": "300ms"}
	for _, args := range [][]string{{"topics", "check"}, {"topics", "create"}, {"send", file(t, "ok.jsonl", goodLine("a"))}} {
		r := run(t, env, "", args...)
		r.want(t, 1, "", "cannot reach any of 127.0.0.1:1 (connection refused)")
	}
}
