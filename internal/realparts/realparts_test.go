//go:build integration

package realparts_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"

	"github.com/toplu/toplu/internal/realparts"
)

// TestKafka shows that a broker starts, and keeps what it has over a restart
// and a kill.
func TestKafka(t *testing.T) {
	for _, version := range []string{realparts.Kafka42, realparts.Kafka39} {
		t.Run(version, func(t *testing.T) {
			k, err := realparts.StartKafka(t.Context(), version, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := k.Stop(); err != nil {
					t.Error(err)
				}
			})
			create(t, k, "kept")
			for _, down := range []func() error{k.Stop, k.Kill} {
				if err := down(); err != nil {
					t.Fatal(err)
				}
				if err := k.Restart(t.Context()); err != nil {
					t.Fatal(err)
				}
				conn, err := kafka.DialContext(t.Context(), "tcp", k.Brokers[0])
				if err != nil {
					t.Fatal(err)
				}
				parts, err := conn.ReadPartitions("kept")
				if err != nil || len(parts) != 3 {
					t.Errorf("%d partitions, %v", len(parts), err)
				}
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func create(t *testing.T, k *realparts.Kafka, topic string) {
	t.Helper()
	conn, err := kafka.DialContext(t.Context(), "tcp", k.Brokers[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.CreateTopics(kafka.TopicConfig{Topic: topic, NumPartitions: 3, ReplicationFactor: 1}); err != nil {
		t.Fatal(err)
	}
}

// TestRedis shows that a server starts as configured, and keeps what it has
// over a restart.
func TestRedis(t *testing.T) {
	t.Parallel()
	r, err := realparts.StartRedis(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	for command, want := range map[string]string{
		"CONFIG GET appendonly":       "yes",
		"CONFIG GET appendfsync":      "everysec",
		"CONFIG GET maxmemory-policy": "noeviction",
		"SET key value":               "+OK",
	} {
		if got := ask(t, r, command); got != want {
			t.Errorf("%s: %s, want %s", command, got, want)
		}
	}
	if err := r.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, r, "GET key"); got != "value" {
		t.Errorf("after a restart: %q", got)
	}
	if err := r.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", r.Addr); err == nil {
		t.Error("answers after it was killed")
	}
}

// ask sends one command and returns the last line of its answer.
func ask(t *testing.T, r *realparts.Redis, command string) string {
	t.Helper()
	conn, err := net.Dial("tcp", r.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s\r\nQUIT\r\n", command); err != nil {
		t.Fatal(err)
	}
	last, lines := "", bufio.NewScanner(conn)
	for lines.Scan() && lines.Text() != "+OK" || last == "" {
		last = lines.Text()
	}
	return last
}

// TestNotSetUp shows that what is missing is said with what to do about it.
func TestNotSetUp(t *testing.T) {
	t.Setenv("TOPLU_PARTS", t.TempDir())
	_, err := realparts.StartKafka(t.Context(), realparts.Kafka42, t.TempDir())
	if !errors.Is(err, realparts.ErrNotSetUp) || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("got %v", err)
	}
}
