package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/config"
)

// mistakes loads a file that must be refused and returns its problems, a line
// each.
func mistakes(t *testing.T, text string, env ...string) []string {
	t.Helper()
	_, err := load(t, text, env...)
	var invalid *config.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, want a list of mistakes", err)
	}
	var lines []string
	for _, p := range invalid.Problems {
		lines = append(lines, p.String())
	}
	return lines
}

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	got := mistakes(t, `kafka:
  broker: [127.0.0.1:9092]
  sessionTimeout: 6
iyzico:
  baseUrl: http://pay.example.test
merchants:
  Shop: {apiKey: a, secretKey: b}
  default:
    apikey: sandbox-key
    secretKey: "  sandbox-secret"
batch: {maxItems: 0, maxAmount: 1.005}
checkDigits: maybe
admin: 9464
report: {interval: 30m, maxInterval: 10m}
`, "TOPLU_LOG_LEVEL=loud", "TOPLU_REDIS_PASSWORD= hush")
	want := []string{
		`toplu.yaml:2: kafka.broker is not a key that toplu knows; did you mean kafka.brokers?`,
		`toplu.yaml:3: kafka.sessionTimeout "6" is not a duration with a unit; allowed: 1s to 30m, written like 500ms, 2s or 1h`,
		`toplu.yaml:5: iyzico.baseUrl "http://pay.example.test" is plain http to another machine; allowed: https://host, or http://host:port on this machine (127.0.0.1, ::1, localhost)`,
		`toplu.yaml:7: merchants.Shop is not a merchant's name; allowed: 1 to 32 of a-z 0-9 -`,
		`toplu.yaml:9: merchants.default.apikey is not a key that toplu knows; did you mean merchants.default.apiKey?`,
		`toplu.yaml:10: merchants.default.secretKey "***" has blanks around it or more than one line; allowed: not empty, without blanks around it`,
		`toplu.yaml:11: batch.maxItems "0" is too small; allowed: 1 to 5000`,
		`toplu.yaml:11: batch.maxAmount "1.005" is more decimals than the currency has (2); allowed: a decimal above zero such as 50000.00, or nothing for no limit`,
		`toplu.yaml:12: checkDigits "maybe" is none of the words allowed; allowed: strict, warn, off`,
		`toplu.yaml:13: admin is a section, not a value; allowed: a section with listen, pprof`,
		`toplu.yaml:14: report.interval is longer than report.maxInterval`,
		`kafka.brokers is missing; set it in the file or as TOPLU_KAFKA_BROKERS; allowed: host:port, several as a YAML list or with commas`,
		`redis.addrs is missing; set it in the file or as TOPLU_REDIS_ADDRS; allowed: host:port, several as a YAML list or with commas`,
		`env TOPLU_REDIS_PASSWORD: redis.password "***" has blanks around it or more than one line; allowed: not empty, without blanks around it`,
		`env TOPLU_LOG_LEVEL: log.level "loud" is none of the words allowed; allowed: debug, info, warn, error`,
		`merchants.default.apiKey is missing; set it, or apiKeyFile, in the file or as TOPLU_MERCHANTS_DEFAULT_APIKEY; allowed: not empty, without blanks around it`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, line := range got {
		if strings.Contains(line, "sandbox") || strings.Contains(line, "hush") {
			t.Errorf("a secret is in %q", line)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, yaml, env, want string }{
		{name: "wrong section", yaml: "report: {grace: 2s}", want: "did you mean iyzico.grace?"},
		{name: "nothing near", yaml: "colour: red", want: "toplu.yaml:8: colour is not a key that toplu knows"},
		{name: "unknown section", yaml: "kafak: {group: g}", want: "did you mean kafka.group?"},
		{name: "secret file misspelt", yaml: "redis: {passwordfile: x}", want: "did you mean redis.passwordFile?"},
		{name: "written twice", yaml: "log: {level: info, level: warn}", want: "log.level is written twice, first in line 8"},
		{name: "section for a value", yaml: "kafka: {group: {name: g}}", want: "kafka.group is a value, not a section"},
		{name: "list for a value", yaml: "kafka: {group: [a, b]}", want: "kafka.group is a list where one value belongs"},
		{name: "alias", yaml: "kafka: {group: &g x, clientId: *g}", want: "kafka.clientId is a YAML alias"},
		{name: "secret given twice", yaml: "redis: {password: x, passwordFile: y}", want: "redis.password is given twice, also as passwordFile"},
		{name: "secret file missing", env: "TOPLU_MERCHANTS_DEFAULT_APIKEYFILE=/not/there", want: "env TOPLU_MERCHANTS_DEFAULT_APIKEYFILE: merchants.default.apiKeyFile cannot be read"},
		{name: "password in an address", env: "TOPLU_REDIS_ADDRS=redis://u:p@h:1", want: `redis.addrs "***" has an entry, number 1, that is not host:port`},
		{name: "port", env: "TOPLU_ADMIN_LISTEN=127.0.0.1:99999", want: `admin.listen "127.0.0.1:99999" is not host:port`},
		{name: "exponent", env: "TOPLU_BATCH_MAXAMOUNT=1e6", want: `batch.maxAmount "1e6" is not a decimal number`},
		{name: "zero amount", env: "TOPLU_BATCH_MAXAMOUNT=0.00", want: `batch.maxAmount "0.00" is zero`},
		{name: "longer than SIGTERM allows", env: "TOPLU_SHUTDOWN_TIMEOUT=30s", want: "shutdown.timeout \"30s\" is too long; allowed: 1s to 19s"},
		{name: "replicas", yaml: "kafka: {replication: 1, minInsyncReplicas: 2}", want: "kafka.minInsyncReplicas is more than kafka.replication"},
		{name: "user without password", yaml: "kafka: {username: u}", want: "kafka.username and kafka.password go together"},
		{name: "switch", env: "TOPLU_VERIFY_BALANCE=yes", want: `verify.balance "yes" is neither true nor false`},
		{name: "start", env: "TOPLU_KAFKA_STARTAT=yesterday", want: "kafka.startAt \"yesterday\" is neither first, now nor an RFC 3339 time"},
		{name: "key of a merchant's batch", yaml: "merchants: {m: {apiKey: a, secretKey: b, batch: {maxItem: 1}}}", want: "merchants.m.batch.maxItem is not a key that toplu knows; did you mean merchants.m.batch.maxItems?"},
		{name: "section of a merchant", yaml: "merchants: {m: {apiKey: a, secretKey: b, batch: 5}}", want: "merchants.m.batch is a section, not a value; allowed: a section with maxItems, maxWait"},
		{name: "zone", yaml: "merchants: {m: {apiKey: a, secretKey: b, batch: {cutOff: {at: '17:00', zone: Europe/Istanbull}}}}", want: `merchants.m.batch.cutOff.zone "Europe/Istanbull" is not a zone`},
		{name: "time of day", yaml: "merchants: {m: {apiKey: a, secretKey: b, batch: {cutOff: {at: '5pm'}}}}", want: `merchants.m.batch.cutOff.at "5pm" is not a time such as 17:00`},
		{name: "opens after it closes", yaml: "merchants: {m: {apiKey: a, secretKey: b, batch: {cutOff: {at: '09:00', opens: '17:00'}}}}", want: "merchants.m.batch.cutOff.opens is not before batch.cutOff.at"},
		{name: "days without a cut-off", yaml: "merchants: {m: {apiKey: a, secretKey: b, batch: {cutOff: {days: [mon]}}}}", want: "merchants.m.batch.cutOff.days is set, but batch.cutOff.at is not"},
		{name: "day", yaml: "merchants: {m: {apiKey: a, secretKey: b, batch: {cutOff: {at: '17:00', days: [monday]}}}}", want: "has an entry, number 1, that is not a day of the week"},
		{name: "own log for requests", yaml: "merchants: {m: {apiKey: a, secretKey: b, topics: [shop, payout.batches]}}", want: "merchants.m.topics names payout.batches, which is no topic of requests but one of toplu's own"},
		{name: "own log with a prefix", yaml: "merchants: {m: {apiKey: a, secretKey: b, topics: payout.requests.dlq}}", env: "TOPLU_KAFKA_TOPICPREFIX=eu.", want: "merchants.m.topics names eu.payout.requests.dlq, which is no topic of requests"},
		{name: "topic's name", yaml: "merchants: {m: {apiKey: a, secretKey: b, topics: ['a b']}}", want: "merchants.m.topics \"a b\" has an entry, number 1, that is not the name of a topic"},
		{name: "topic too long", yaml: "merchants: {m: {apiKey: a, secretKey: b, topics: " + strings.Repeat("t", 50) + "}}", env: "TOPLU_KAFKA_TOPICPREFIX=" + strings.Repeat("p", 200), want: "merchants.m.topics names a topic that is 250 characters long"},
		{name: "two documents", yaml: "---\nkafka: {}", want: "holds more than one YAML document"},
		{name: "user in the URL", env: "TOPLU_IYZICO_BASEURL=https://u:hush@h", want: `iyzico.baseUrl "***" has a user, query or fragment`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// Sections may not be written twice, so the test's own replaces that of the shape.
			kept := strings.Builder{}
			for line := range strings.Lines(shape) {
				if section, _, _ := strings.Cut(line, ":"); !strings.HasPrefix(tt.yaml, section+":") {
					kept.WriteString(line)
					continue
				}
				kept.WriteString("\n")
			}
			got := strings.Join(mistakes(t, kept.String()+tt.yaml, tt.env), "\n")
			if !strings.Contains(got, tt.want) {
				t.Errorf("got\n%s\nwant %s", got, tt.want)
			}
			if strings.Contains(got, "hush") {
				t.Errorf("a secret is in %q", got)
			}
		})
	}
}
