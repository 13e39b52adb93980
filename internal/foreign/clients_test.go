//go:build integration && slow

package foreign_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/realparts"
	"github.com/toplu/toplu/schema"
)

// A client is a Kafka client that is not ours, in a program of a few lines.
type client struct {
	name         string
	env, command []string
	transactions bool
}

// each is how many requests a client writes in a mode.
const each = 10

// TestSlowClients has four foreign clients write requests in both modes of
// CloudEvents and read the statuses, on both Kafkas, and prints who can do what.
// The table in docs/order-systems.md must say the same.
func TestSlowClients(t *testing.T) {
	for _, version := range []string{realparts.Kafka42, realparts.Kafka39} {
		t.Run("Kafka "+version, func(t *testing.T) { tryClients(t, version) })
	}
}

func tryClients(t *testing.T, version string) {
	s := startService(t, version)
	clients := []client{
		{name: "kafkajs", env: []string{nodeEnv(t)}, command: []string{"node", "testdata/kafkajs.js"}, transactions: true},
		{name: "confluent-kafka", env: []string{pythonEnv(t)}, command: []string{"python3", "testdata/confluent.py"}, transactions: true},
		{name: "kafka-clients", command: java(t, "testdata/Client.java"), transactions: true},
		{name: "kcat"},
	}
	// column by column, client by client: what went wrong, "" for fine
	matrix := map[string]map[string]string{}
	for _, column := range columns {
		matrix[column] = map[string]string{}
	}
	for _, c := range clients {
		for _, mode := range []string{"binary", "structured"} {
			matrix[mode][c.name] = c.write(t, s, mode, requests(c.name+"-"+mode))
		}
		matrix["transactions"][c.name] = none
		if c.transactions {
			matrix["transactions"][c.name] = cmp.Or(
				c.do(t, s, "transaction", "abort", requests(c.name+"-abort")),
				c.do(t, s, "transaction", "commit", requests(c.name+"-commit")))
		}
	}
	paid := s.awaitPaid(t, len(clients)*2*each+3*each)
	statuses := kcatRead(t, s, "payout.statuses")
	requested := kcatRead(t, s, "payout.requests")
	for _, c := range clients {
		for _, mode := range []string{"binary", "structured", "commit"} {
			for i := range each {
				id := fmt.Sprintf("%s-%s-%d", c.name, mode, i)
				if mode == "commit" && !c.transactions {
					continue
				}
				if paid[id] != 1 {
					t.Errorf("%s was paid %d times", id, paid[id])
				}
			}
		}
		if c.transactions && matrix["transactions"][c.name] == "" {
			matrix["transactions"][c.name] = neverPaid(paid, statuses, c.name+"-abort-")
		}
		matrix["partition"][c.name] = samePartition(requested, c.name)
		matrix["reads"][c.name] = c.read(t, s, statuses)
		matrix["headers"][c.name] = traced(statuses, c.name)
	}
	show(t, version, clients, matrix)
}

// columns are what a client may be able to do, as in the table of the docs.
var columns = []string{"binary", "structured", "transactions", "partition", "reads", "headers"}

// none is for a client that has no transactions.
const none = "has none"

// requests makes requests in neutral form: each client makes events of them.
func requests(prefix string) []byte {
	var lines bytes.Buffer
	for i := range each {
		id := fmt.Sprintf("%s-%d", prefix, i)
		fmt.Fprintf(&lines, `{"key":%q,"attributes":{"specversion":"1.0","type":"payout.requested.v1","source":"/shop","id":"e-%s","time":"2026-03-01T09:00:00Z","traceparent":%q},`,
			id, id, trace(prefix))
		fmt.Fprintf(&lines, `"data":{"payoutId":%q,"recipient":{"type":"IBAN","value":"TR470000100100000350930001","name":"Ayşe Yılmaz"},"amount":{"value":"1%d.50","currency":"TRY"}}}`+"\n", id, i)
	}
	return lines.Bytes()
}

// trace is the trace of a client's requests in a mode.
func trace(prefix string) string {
	return fmt.Sprintf("00-%032x-00000000000000ab-01", prefix[:min(16, len(prefix))])
}

func (c *client) write(t *testing.T, s *service, mode string, lines []byte) string {
	t.Helper()
	if c.name == "kcat" {
		return kcatWrite(t, s, mode, lines)
	}
	return c.do(t, s, "write", mode, lines)
}

// do runs the client's program and returns what went wrong.
func (c *client) do(t *testing.T, s *service, action, how string, lines []byte) string {
	t.Helper()
	command := append(slices.Clone(c.command), action, "payout.requests", how)
	if _, problems, err := try(t, append(c.env, "KAFKA_BROKERS="+s.brokers), lines, command...); err != nil {
		return fmt.Sprintf("%v: %s", err, problems)
	}
	return ""
}

// read has the client read all statuses and compares them with what kcat read.
func (c *client) read(t *testing.T, s *service, want []record) string {
	t.Helper()
	var got []record
	if c.name == "kcat" {
		got = kcatRead(t, s, "payout.statuses")
	} else {
		command := append(slices.Clone(c.command), "read", "payout.statuses")
		out, problems, err := try(t, append(c.env, "KAFKA_BROKERS="+s.brokers), nil, command...)
		if err != nil {
			return fmt.Sprintf("%v: %s", err, problems)
		}
		got = records(t, out)
	}
	slices.SortFunc(got, func(a, b record) int { return cmp.Or(a.Partition-b.Partition, a.Offset-b.Offset) })
	values := gocmp.Transformer("value", func(raw json.RawMessage) (v any) {
		_ = json.Unmarshal(raw, &v)
		return v
	})
	return gocmp.Diff(want, got, values)
}

// kcatWrite writes each request by a kcat of its own, as its headers are for all
// that it writes.
func kcatWrite(t *testing.T, s *service, mode string, lines []byte) string {
	t.Helper()
	for line := range bytes.Lines(lines) {
		var e struct {
			Key        string
			Attributes map[string]string
			Data       json.RawMessage
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		args := []string{"-q", "-b", s.brokers, "-P", "-t", "payout.requests", "-K", "|", "-X", "partitioner=murmur2_random", "-X", "linger.ms=0", "-H", "x-shop=kcat"}
		value := e.Data
		if mode == "structured" {
			whole := map[string]any{"datacontenttype": "application/json", "data": e.Data}
			for name, text := range e.Attributes {
				whole[name] = text
			}
			value, _ = json.Marshal(whole)
			args = append(args, "-H", "content-type=application/cloudevents+json")
		} else {
			args = append(args, "-H", "content-type=application/json")
			for name, text := range e.Attributes {
				args = append(args, "-H", "ce_"+name+"="+text)
			}
		}
		if _, problems, err := try(t, nil, []byte(e.Key+"|"+string(value)+"\n"), append([]string{"kcat"}, args...)...); err != nil {
			return fmt.Sprintf("%v: %s", err, problems)
		}
	}
	return ""
}

// kcatRead returns all that a topic holds now, in the order of its partitions.
func kcatRead(t *testing.T, s *service, topic string) []record {
	t.Helper()
	var all []record
	for line := range strings.Lines(run(t, nil, "kcat", "-q", "-b", s.brokers, "-C", "-e", "-J", "-t", topic, "-o", "beginning", "-X", "isolation.level=read_uncommitted")) {
		var r struct {
			Partition, Offset int
			Key, Payload      string
			Headers           []string
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		headers := map[string]string{}
		for pair := range slices.Chunk(r.Headers, 2) {
			headers[pair[0]] = pair[1]
		}
		all = append(all, record{Partition: r.Partition, Offset: r.Offset, Key: r.Key, Headers: headers, Value: json.RawMessage(r.Payload)})
	}
	slices.SortFunc(all, func(a, b record) int { return cmp.Or(a.Partition-b.Partition, a.Offset-b.Offset) })
	return all
}

// awaitPaid waits until n payouts are told to be paid, and returns how often
// each was.
func (s *service) awaitPaid(t *testing.T, n int) map[string]int {
	t.Helper()
	eventually(t, 2*time.Minute, func() string {
		paid := 0
		for _, r := range kcatRead(t, s, "payout.statuses") {
			if r.Headers["ce_type"] == "payout.paid.v1" {
				paid++
			}
		}
		if paid < n {
			return fmt.Sprintf("%d of %d payouts are paid", paid, n)
		}
		return ""
	})
	return transfers(t, s.simulator)
}

// neverPaid says which payouts of those aborted were paid or told of.
func neverPaid(paid map[string]int, statuses []record, prefix string) string {
	for id := range paid {
		if strings.HasPrefix(id, prefix) {
			return id + " was aborted, and paid"
		}
	}
	for _, r := range statuses {
		if strings.HasPrefix(r.Key, prefix) {
			return r.Key + " was aborted, and is told of"
		}
	}
	return ""
}

// samePartition says which of a client's requests are elsewhere than Java's
// client would put them, and toplu its shards.
func samePartition(requested []record, name string) string {
	n := 0
	for _, r := range requested {
		if !strings.HasPrefix(r.Key, name+"-") {
			continue
		}
		n++
		if want := schema.Shard(r.Key, partitions); r.Partition != want {
			return fmt.Sprintf("%s is in partition %d, not %d", r.Key, r.Partition, want)
		}
		if r.Headers["x-shop"] != name {
			return r.Key + " has lost a header"
		}
	}
	if n < 2*each {
		return fmt.Sprintf("%d requests", n)
	}
	return ""
}

// traced says which statuses lack the trace of their request.
func traced(statuses []record, name string) string {
	for _, r := range statuses {
		if i := strings.LastIndex(r.Key, "-"); strings.HasPrefix(r.Key, name+"-") && r.Headers["ce_traceparent"] != trace(r.Key[:i]) {
			return fmt.Sprintf("%s of %s has trace %q", r.Headers["ce_type"], r.Key, r.Headers["ce_traceparent"])
		}
	}
	return ""
}

// show prints the matrix and fails where something is wrong, or where the docs
// say otherwise.
func show(t *testing.T, version string, clients []client, matrix map[string]map[string]string) {
	t.Helper()
	documented := documentedMatrix(t)
	var table strings.Builder
	fmt.Fprintf(&table, "%-17s%s\n", "", strings.Join(columns, "  "))
	for _, c := range clients {
		fmt.Fprintf(&table, "%-17s", c.name)
		for i, column := range columns {
			wrong := matrix[column][c.name]
			word := "yes"
			switch {
			case wrong == none:
				word = none
			case wrong != "":
				word = "NO"
				t.Errorf("%s, %s: %s", c.name, column, wrong)
			}
			if said := documented[c.name]; i >= len(said) || said[i] != word {
				t.Errorf("%s, %s: %s, and docs/order-systems.md has %q", c.name, column, word, said)
			}
			fmt.Fprintf(&table, "%-*s", len(column)+2, word)
		}
		table.WriteString("\n")
	}
	t.Logf("foreign clients on Kafka %s\n%s", version, table.String())
}

// documentedMatrix reads the table of the docs: a client's cells by the first
// word of its name.
func documentedMatrix(t *testing.T) map[string][]string {
	t.Helper()
	said := map[string][]string{}
	_, table, found := strings.Cut(readPage(t, docs(t, "order-systems.md")), "\n| client | writes binary |")
	if !found {
		t.Fatal("docs/order-systems.md has no table of clients")
	}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		name, _, _ := strings.Cut(strings.TrimSpace(cells[0]), " ")
		if len(cells) != 1+len(columns) {
			if len(said) > 0 {
				break
			}
			continue
		}
		said[name] = cells[1:]
	}
	return said
}
