//go:build integration && slow

package secure_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/toplu/toplu/internal/e2e"
	"github.com/toplu/toplu/internal/realparts"
)

// A place is a broker that trusts nobody but the users of docs/security.md, the
// simulator, and a configuration without any login: each process has its own.
type place struct {
	t         *testing.T
	dir       string
	authority *realparts.Authority
	kafka     *realparts.Kafka
	simulator string // URL
	config    string // path
	asked     map[string]int64
}

var users = []string{"order-system", "market-orders", "ledger", "toplu-consumer", "toplu-worker", "toplu-oncall", "toplu-topics", "stranger"}

// newPlace starts everything but Redis, whose part of the configuration comes
// from outside, and has the topics made by the user that may.
func newPlace(t *testing.T, redis func(p *place) string) *place {
	t.Helper()
	dir, err := os.MkdirTemp("", "toplu-place-") //nolint:usetesting // it outlives a test that fails
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, dir: dir, config: filepath.Join(dir, "toplu.yaml"), asked: map[string]int64{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kept: %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	p.authority, err = realparts.NewAuthority(filepath.Join(dir, "pki"))
	p.must(err)
	_, err = p.authority.Issue("administrator")
	p.must(err)
	passwords := map[string]string{}
	for _, u := range users {
		passwords[u] = "pass-of-" + u
		p.write("secrets/"+u, passwords[u])
	}
	p.kafka, err = realparts.StartSecureKafka(t.Context(), realparts.Kafka42, filepath.Join(dir, "kafka"), realparts.KafkaSecurity{Authority: p.authority, Users: passwords})
	p.must(err)
	t.Cleanup(func() { _ = p.kafka.Kill() })
	p.allow(kafkaACLs(t))

	merchants := "merchants: {default: {apiKey: sandbox-default, secretKey: sandbox-default-secret}, market: {apiKey: sandbox-market, secretKey: sandbox-market-secret, topics: [payout.requests.market]}}\n"
	p.write("toplu.yaml", merchants)
	simulator := p.start("simulator", nil, "simulator", "--listen", "127.0.0.1:0")
	p.simulator = simulator.says(`simulator: (http://\S+)`, 10*time.Second)
	p.write("toplu.yaml", fmt.Sprintf(`kafka: {brokers: ["%s"], sessionTimeout: 6s, tls: true, caFile: pki/ca.pem, mechanism: SCRAM-SHA-512}
redis: %s
iyzico: {baseUrl: "%s", timeout: 3s, grace: 1s}
%sbatch: {maxItems: 50, maxWait: 100ms}
report: {interval: 200ms}
admin: {listen: 127.0.0.1:0}
`, p.kafka.Brokers[0], redis(p), p.simulator, merchants))
	if out, status := p.toplu(p.as("toplu-topics"), "topics", "create", "--partitions", "4"); status != 0 {
		t.Fatalf("topics create: %s", out)
	}
	return p
}

// allow gives permissions.
func (p *place) allow(acls []kafka.ACLEntry) {
	p.t.Helper()
	admin, end, err := p.kafka.Admin()
	p.must(err)
	defer end()
	res, err := admin.CreateACLs(p.t.Context(), &kafka.CreateACLsRequest{ACLs: acls})
	p.must(err)
	p.must(errors.Join(res.Errors...))
}

// as is the environment of a process that logs in to Kafka as a user.
func (p *place) as(user string, more ...string) []string {
	return append([]string{"TOPLU_KAFKA_USERNAME=" + user, "TOPLU_KAFKA_PASSWORDFILE=secrets/" + user}, more...)
}

func (p *place) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// write writes a file into the place, by renaming, as who exchanges secrets
// should.
func (p *place) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	p.must(os.MkdirAll(filepath.Dir(path), 0o700))
	p.must(os.WriteFile(path+".new", []byte(text), 0o600))
	p.must(os.Rename(path+".new", path))
}

// replaced is another configuration, with one text in place of another.
func (p *place) replaced(old, other string) (path string) {
	p.t.Helper()
	text, err := os.ReadFile(p.config)
	p.must(err)
	if !strings.Contains(string(text), old) {
		p.t.Fatalf("the configuration has no %q", old)
	}
	name := fmt.Sprintf("other-%x.yaml", old)
	p.write(name, strings.Replace(string(text), old, other, 1))
	return filepath.Join(p.dir, name)
}

// send asks for n payouts as an order system does.
func (p *place) send(n int) {
	p.t.Helper()
	var lines strings.Builder
	for range n {
		i := len(p.asked) + 1
		id, kurus := fmt.Sprintf("pay-%05d", i), int64(100+i)
		p.asked[id] = kurus
		fmt.Fprintf(&lines, `{"payoutId":%q,"recipient":{"type":"PHONE","value":"+905%09d"},"amount":{"value":"%d.%02d","currency":"TRY"}}`+"\n", id, i, kurus/100, kurus%100)
	}
	p.write("requests.jsonl", lines.String())
	if out, status := p.toplu(p.as("order-system"), "send", "requests.jsonl"); status != 0 {
		p.t.Fatalf("send: %s", out)
	}
}

// kcat runs a foreign client as a user. A librdkafka older than 2.6.1 makes a
// mistake in SCRAM that Kafka 4 does not bear (librdkafka#4895), hence PLAIN.
func (p *place) kcat(user string, input []byte, args ...string) ([]byte, error) {
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(p.t.Context(), "kcat", append([]string{
		"-b", p.kafka.Brokers[0], "-X", "security.protocol=SASL_SSL", "-X", "sasl.mechanism=PLAIN",
		"-X", "sasl.username=" + user, "-X", "sasl.password=pass-of-" + user, "-X", "ssl.ca.location=" + p.authority.CAFile,
	}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &problems
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("kcat as %s: %w: %s", user, err, problems.Bytes())
	}
	return out.Bytes(), nil
}

// verdict judges what a ledger reads and the provider's books show, now.
func (p *place) verdict() *e2e.Verdict {
	p.t.Helper()
	text, err := p.kcat("ledger", nil, "-C", "-e", "-t", "payout.statuses", "-o", "beginning", "-f", e2e.KcatFormat)
	p.must(err)
	var statuses []e2e.Record
	for in := e2e.NewReader(bytes.NewReader(text)); ; {
		r, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		p.must(err)
		statuses = append(statuses, r)
	}
	res, err := http.Get(p.simulator + "/_simulator/books")
	p.must(err)
	defer res.Body.Close()
	var books e2e.Books
	p.must(json.NewDecoder(res.Body).Decode(&books))
	return e2e.Judge(e2e.Case{Asked: p.asked, Statuses: statuses, Books: books})
}

// balanced waits until every payout is answered, and judges.
func (p *place) balanced(atMost time.Duration) {
	p.t.Helper()
	began := time.Now()
	p.eventually(atMost, func() string {
		if v := p.verdict(); v.Answered < len(p.asked) {
			return v.String()
		}
		return ""
	})
	v := p.verdict()
	if err := v.Err(); err != nil || v.ByStatus["paid"] != len(p.asked) {
		p.t.Errorf("%s: %v", v, err)
	}
	p.t.Logf("%s; after %.1f s", v, time.Since(began).Seconds())
}

// eventually waits until f returns "", which says what is still wrong.
func (p *place) eventually(atMost time.Duration, f func() string) {
	p.t.Helper()
	for deadline := time.Now().Add(atMost); ; {
		wrong := f()
		if wrong == "" {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("after %s: %s", atMost, wrong)
		}
		select {
		case <-p.t.Context().Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}
