package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
)

// TestTopicsAsCode compares deployments/kafka/topics.yaml with what `toplu topics
// create` makes.
func TestTopicsAsCode(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join("..", "..", "deployments", "kafka", "topics.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var written []kafkaio.TopicSpec
	for d := yaml.NewDecoder(f); ; {
		var topic struct {
			Kind     string
			Metadata struct{ Name string }
			Spec     struct {
				Partitions, Replicas int
				Config               map[string]any
			}
		}
		if err := d.Decode(&topic); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		configs := map[string]string{}
		for k, v := range topic.Spec.Config {
			configs[k] = fmt.Sprint(v)
		}
		written = append(written, kafkaio.TopicSpec{Name: topic.Metadata.Name, Partitions: topic.Spec.Partitions, Replication: topic.Spec.Replicas, Configs: configs})
	}
	cfg := &config.Config{Kafka: config.Kafka{Replication: 3, MinInsyncReplicas: 2}}
	var made []kafkaio.TopicSpec
	for _, name := range allTopics(cfg.Kafka.Topics()) {
		made = append(made, topicSpec(cfg, name, defaultPartitions, 1<<20+12)) // a broker's default for requests
	}
	if diff := cmp.Diff(made, written); diff != "" {
		t.Errorf("topics (-made +written):\n%s", diff)
	}
}
