//go:build integration && slow

package secure_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowSecureLogins tries every way to log in to a broker, and every way to
// get it wrong.
func TestSlowSecureLogins(t *testing.T) {
	p := newPlace(t, func(*place) string { return `{addrs: ["127.0.0.1:1"]}` })
	_, err := p.authority.Issue("toplu-worker")
	p.must(err)
	cert := []string{"TOPLU_KAFKA_CERTFILE=pki/toplu-worker.pem", "TOPLU_KAFKA_KEYFILE=pki/toplu-worker.key", "TOPLU_KAFKA_BROKERS=" + p.kafka.MutualTLS, "TOPLU_KAFKA_MECHANISM=PLAIN"}

	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		mechanism := "TOPLU_KAFKA_MECHANISM=" + mechanism
		if out, status := p.toplu(p.as("toplu-worker", mechanism), "topics", "check"); status != 0 || !strings.Contains(out, "fine") {
			t.Errorf("%s: exit status %d: %s", mechanism, status, out)
		}
	}
	if out, status := p.toplu(cert, "topics", "check"); status != 0 {
		t.Errorf("mTLS: exit status %d: %s", status, out)
	}

	const wrongLogin = "Check kafka.username, kafka.password and kafka.mechanism"
	p.write("secrets/wrong", "pass-of-nobody")
	_, err = p.authority.Issue("nobody-knows")
	p.must(err)
	other := t.TempDir()
	tests := []struct {
		name  string
		env   []string
		want  string
		waits bool // the broker only hangs up, as one does that starts: `run` waits and says so
	}{
		{"wrong password, PLAIN", p.as("toplu-worker", "TOPLU_KAFKA_MECHANISM=PLAIN", "TOPLU_KAFKA_PASSWORDFILE=secrets/wrong"), wrongLogin, false},
		{"wrong password, SCRAM", p.as("toplu-worker", "TOPLU_KAFKA_PASSWORDFILE=secrets/wrong"), wrongLogin, false},
		{"user that there is not", p.as("toplu-worker", "TOPLU_KAFKA_USERNAME=somebody"), wrongLogin, false},
		{"no login", []string{"TOPLU_KAFKA_MECHANISM=PLAIN"}, "see kafka.tls, kafka.username and kafka.password", true},
		{"no TLS", p.as("toplu-worker", "TOPLU_CONFIG="+p.replaced("tls: true, caFile: pki/ca.pem, ", "")), "see kafka.tls, kafka.username and kafka.password", true},
		{"authority for nothing", p.as("toplu-worker", "TOPLU_KAFKA_TLS=false"), "kafka.caFile is set, but kafka.tls is off", false},
		{"authorities of the system", p.as("toplu-worker", "TOPLU_KAFKA_CAFILE="+authorityOf(p, other)), "check kafka.caFile", false},
		{"no certificate", slices.Concat(cert[2:]), "check kafka.certFile and kafka.keyFile", false},
		{"certificate of nobody", slices.Concat(cert, []string{"TOPLU_KAFKA_CERTFILE=pki/nobody-knows.pem", "TOPLU_KAFKA_KEYFILE=pki/nobody-knows.key"}), "docs/security.md", false},
		{"user without permissions", p.as("stranger"), "docs/security.md", false},
	}
	for _, tt := range tests {
		for _, args := range [][]string{{"topics", "check"}, {"run"}} {
			t.Run(tt.name+", "+args[0], func(t *testing.T) {
				if tt.waits && args[0] == "run" {
					p.start("waits", tt.env, "run").says(tt.want, 20*time.Second)
					return
				}
				out, status := p.toplu(tt.env, args...)
				if status != 1 || !strings.Contains(out, tt.want) {
					t.Errorf("exit status %d, want 1 and %q:\n%s", status, tt.want, out)
				}
				silent(t, tt.name, out)
			})
		}
	}
}

// authorityOf makes another authority, which has signed nothing here.
func authorityOf(p *place, dir string) string {
	p.t.Helper()
	_, err := realparts.NewAuthority(filepath.Join(dir, "pki"))
	p.must(err)
	return filepath.Join(dir, "pki", "ca.pem")
}

// TestSlowSecurePermissions shows that nobody can do another's work: with a
// foreign client, since ours would not even try.
func TestSlowSecurePermissions(t *testing.T) {
	p := newPlace(t, func(*place) string { return `{addrs: ["127.0.0.1:1"]}` })
	topics := []string{"payout.requests", "payout.requests.market", "payout.batches", "payout.journal", "payout.statuses", "payout.requests.dlq", "payout.commands"}
	may := map[string][]string{ // write
		"order-system":   {"payout.requests"},
		"market-orders":  {"payout.requests.market"},
		"toplu-consumer": {"payout.batches", "payout.journal", "payout.commands", "payout.statuses", "payout.requests.dlq"},
		"toplu-worker":   {"payout.batches", "payout.journal", "payout.statuses", "payout.requests.dlq"},
		"toplu-oncall":   {"payout.commands"},
	}
	for _, user := range users {
		for _, topic := range topics {
			_, err := p.kcat(user, []byte("x"), "-P", "-t", topic, "-X", "message.timeout.ms=5000")
			want := slices.Contains(may[user], topic)
			if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "uthorization failed") {
				t.Errorf("%s writes to %s: %v, want it allowed: %t", user, topic, err, want)
			}
		}
	}
	reads := map[string]int{"order-system": 0, "market-orders": 0, "ledger": 1, "toplu-consumer": 4, "toplu-worker": 5, "toplu-oncall": 7, "toplu-topics": 0, "stranger": 0}
	for _, user := range users {
		n := 0
		for _, topic := range topics {
			if _, err := p.kcat(user, nil, "-C", "-e", "-t", topic, "-o", "beginning"); err == nil {
				n++
			}
		}
		if n != reads[user] {
			t.Errorf("%s reads %d topics, want %d", user, n, reads[user])
		}
	}
	p.write("one.jsonl", `{"payoutId":"a","recipient":{"type":"PHONE","value":"+905350000000"},"amount":{"value":"1.00","currency":"TRY"}}`)
	out, status := p.toplu(p.as("toplu-oncall"), "send", "one.jsonl")
	if status != 1 || !strings.Contains(out, "docs/security.md") {
		t.Errorf("send as toplu-oncall: %s", fmt.Sprint(status, out))
	}
}
