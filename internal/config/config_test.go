package config_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/schema"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

// shape is the file that must always be enough.
const shape = `kafka: {brokers: [127.0.0.1:9092], sessionTimeout: 6s}
redis: {addrs: [127.0.0.1:6379]}
iyzico: {baseUrl: http://127.0.0.1:8081, timeout: 2s, grace: 3s}
merchants: {default: {apiKey: sandbox-key, secretKey: sandbox-secret}}
batch: {maxItems: 100, maxWait: 200ms, maxAmount: "1000000.00"}
report: {interval: 200ms}
admin: {listen: 127.0.0.1:0}
`

// write puts files into a fresh folder and returns the path of toplu.yaml.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "toplu.yaml")
}

func environ(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if v, ok := strings.CutPrefix(p, name+"="); ok {
				return v
			}
		}
		return ""
	}
}

func load(t *testing.T, text string, env ...string) (*config.Config, error) {
	t.Helper()
	return config.Load(write(t, map[string]string{"toplu.yaml": text}), environ(env...))
}

func mustLoad(t *testing.T, text string, env ...string) *config.Config {
	t.Helper()
	c, err := load(t, text, env...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestShapeIsEnough(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, shape)
	got := fmt.Sprintln(c.Kafka.Brokers, c.Kafka.SessionTimeout, c.Redis.Addrs, c.Iyzico.BaseURL, c.Iyzico.Timeout, c.Iyzico.Grace,
		c.Batch, c.Report, c.Admin.Listen, c.Merchants["default"].APIKey.Reveal(), c.Merchants["default"].SecretKey.Reveal())
	want := "[127.0.0.1:9092] 6s [127.0.0.1:6379] http://127.0.0.1:8081 2s 3s " +
		"{100 200ms 100000000 900000} {200ms 1h0m0s 720h0m0s} 127.0.0.1:0 sandbox-key sandbox-secret\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if m := c.Merchants["default"]; m.Purpose != "SETTLEMENT" || m.MaxOpen != 8 {
		t.Errorf("defaults of a merchant: %q %d", m.Purpose, m.MaxOpen)
	}
	if c.CheckDigits != schema.CheckWarn || !c.Verify.Amounts || c.Kafka.Group != "toplu" {
		t.Errorf("defaults: %+v", c)
	}
	if topics := c.Kafka.Topics(); topics.DLQ != "payout.requests.dlq" {
		t.Errorf("topics: %+v", topics)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, yaml, env string
		got             func(*config.Config) any
		want            any
	}{
		{name: "amount as a number is exact", yaml: "batch: {maxAmount: 50000.10}", got: func(c *config.Config) any { return c.Batch.MaxAmount }, want: int64(5000010)},
		{name: "amount above what a float holds", yaml: "batch: {maxAmount: 90071992547409.93}", got: func(c *config.Config) any { return c.Batch.MaxAmount }, want: int64(9007199254740993)},
		{name: "empty amount is no limit", yaml: `batch: {maxAmount: ""}`, got: func(c *config.Config) any { return c.Batch.MaxAmount }, want: int64(0)},
		{name: "null is the default", yaml: "batch: {maxItems: }", got: func(c *config.Config) any { return c.Batch.MaxItems }, want: 500},
		{name: "list as text", yaml: "iyzico: {rejectCodes: '12, 13'}", got: func(c *config.Config) any { return c.Iyzico.RejectCodes }, want: []string{"12", "13"}},
		{name: "list as YAML, numbers kept as written", yaml: "iyzico: {rejectCodes: [012, 13]}", got: func(c *config.Config) any { return c.Iyzico.RejectCodes }, want: []string{"012", "13"}},
		{name: "start at a time", yaml: "kafka: {startAt: 2026-01-31T09:00:00Z}", got: func(c *config.Config) any { return c.Kafka.StartAt }, want: config.StartAt{Mode: config.StartTime, Time: time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)}},
		{name: "start now", yaml: "kafka: {startAt: now}", got: func(c *config.Config) any { return c.Kafka.StartAt.Mode }, want: config.StartNow},
		{name: "environment alone", env: "TOPLU_BATCH_MAXITEMS=7", got: func(c *config.Config) any { return c.Batch.MaxItems }, want: 7},
		{name: "environment over file", yaml: "batch: {maxItems: 3}", env: "TOPLU_BATCH_MAXITEMS=7", got: func(c *config.Config) any { return c.Batch.MaxItems }, want: 7},
		{name: "empty variable counts as not set", yaml: "batch: {maxItems: 3}", env: "TOPLU_BATCH_MAXITEMS=", got: func(c *config.Config) any { return c.Batch.MaxItems }, want: 3},
		{name: "list in the environment", env: "TOPLU_REDIS_ADDRS=a:1, b:2", got: func(c *config.Config) any { return c.Redis.Addrs }, want: []string{"a:1", "b:2"}},
		{name: "key without a section", env: "TOPLU_CHECKDIGITS=strict", got: func(c *config.Config) any { return c.CheckDigits }, want: schema.CheckStrict},
		{name: "merchant with a dash", yaml: "merchants: {my-shop: {apiKey: a, secretKey: b}}", env: "TOPLU_MERCHANTS_MY_SHOP_MAXOPEN=2", got: func(c *config.Config) any { return c.Merchants["my-shop"].MaxOpen }, want: 2},
		{name: "topics of merchants, two of which share one", yaml: "kafka: {topicPrefix: eu., group: g}\nmerchants: {a: {apiKey: a, secretKey: b, topics: [payout.requests.ab, payout.requests]}, b: {apiKey: a, secretKey: b, topics: payout.requests.ab}, c: {apiKey: a, secretKey: b, topics: [c, c]}}", got: func(c *config.Config) any {
			_, known := c.Rules().Merchant("default")
			return []any{known, c.Merchants["a"].Topics, c.Merchants["b"].Topics, c.Merchants["default"].Topics, c.Topics().Sources(), c.GroupOf("eu.c"), c.GroupOf("eu.payout.requests")}
		}, want: []any{
			true,
			[]string{"eu.payout.requests.ab", "eu.payout.requests"},
			[]string{"eu.payout.requests.ab"},
			[]string{"eu.payout.requests"},
			[]string{"eu.payout.requests", "eu.c", "eu.payout.requests.ab"},
			"g.eu.c", "g",
		}},
		{name: "prefix of topics", yaml: "kafka: {topicPrefix: test.}", got: func(c *config.Config) any { return c.Kafka.Topics().Batches }, want: "test.payout.batches"},
	}
	base := environ("TOPLU_KAFKA_BROKERS=b:1", "TOPLU_REDIS_ADDRS=r:1", "TOPLU_IYZICO_BASEURL=https://example.test",
		"TOPLU_MERCHANTS_DEFAULT_APIKEY=k", "TOPLU_MERCHANTS_DEFAULT_SECRETKEY=s")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := config.Load(write(t, map[string]string{"toplu.yaml": tt.yaml}), func(name string) string {
				if env := environ(tt.env)(name); env != "" {
					return env
				}
				return base(name)
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tt.got(c)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMerchantInherits(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, strings.Replace(shape, "secretKey: sandbox-secret}", "secretKey: sandbox-secret}, m: {apiKey: a, secretKey: b, concurrency: 2, limits: {payout: 10.50}, "+
		"batch: {maxItems: 7, cutOff: {at: '17:00', opens: '09:00', days: [mon, fri], holidays: [2026-10-29]}}}", 1), "TOPLU_BATCH_MAXWAIT=5s")
	def, m := c.Merchants["default"], c.Merchants["m"]
	if def.Batch != c.Batch || def.Batch.MaxWait != 5*time.Second || def.Concurrency != 32 || def.CutOff.At != 0 {
		t.Errorf("of its own it has nothing: %+v", def)
	}
	want := c.Batch
	want.MaxItems = 7
	closes, cuts := m.CutOff.At.Minutes()
	opens, _ := m.CutOff.Opens.Minutes()
	if m.Batch != want || m.Concurrency != 2 || m.Limits.Payout != 1050 || !cuts || closes != 17*60 || opens != 9*60 ||
		m.CutOff.Zone.String() != "Europe/Istanbul" || !slices.Equal(m.CutOff.Days, []time.Weekday{time.Monday, time.Friday}) || len(m.CutOff.Holidays) != 1 {
		t.Errorf("got %+v", m)
	}
	for _, s := range c.Settings() {
		if s.Key == "merchants.m.batch.maxWait" && (s.Value != "5s" || s.From != "batch.maxWait, env TOPLU_BATCH_MAXWAIT") {
			t.Errorf("inherited: %+v", s)
		}
	}
}

func TestOneSectionIsEnoughForSome(t *testing.T) {
	t.Parallel()
	path := write(t, map[string]string{"toplu.yaml": "kafka: {brokers: [b:1]}\nmerchants: {shop: {apiKeyFile: not/there}}\n"})
	c, err := config.Load(path, environ(), "kafka")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Rules().Merchant("shop"); !ok {
		t.Error("the merchant of the file is not known")
	}
	if _, ok := c.Rules().Merchant("other"); ok {
		t.Error("a merchant that is not in the file is known")
	}
	if _, err := config.Load(path, environ()); err == nil {
		t.Error("the whole of it is not complete, but was accepted")
	}
}

func TestSecretFiles(t *testing.T) {
	t.Parallel()
	path := write(t, map[string]string{
		"toplu.yaml":   strings.Replace(shape, "apiKey: sandbox-key, secretKey: sandbox-secret", "apiKeyFile: secrets/api", 1),
		"secrets/api":  "key-of-file\n",
		"secrets/hush": "secret-of-file\r\n",
	})
	c, err := config.Load(path, environ("TOPLU_MERCHANTS_DEFAULT_SECRETKEYFILE=secrets/hush"))
	if err != nil {
		t.Fatal(err)
	}
	m := c.Merchants["default"]
	if m.APIKey.Reveal() != "key-of-file" || m.SecretKey.Reveal() != "secret-of-file" {
		t.Errorf("got %q and %q", m.APIKey.Reveal(), m.SecretKey.Reveal())
	}
	c, err = config.Load(path, environ("TOPLU_MERCHANTS_DEFAULT_APIKEY=of-env", "TOPLU_MERCHANTS_DEFAULT_SECRETKEY=s"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Merchants["default"].APIKey.Reveal(); got != "of-env" {
		t.Errorf("the environment must win over the secret file of the configuration, got %q", got)
	}
}

func TestSettingsSayWhereFromAndHideSecrets(t *testing.T) {
	t.Parallel()
	path := write(t, map[string]string{
		"toplu.yaml": strings.Replace(shape, "apiKey: sandbox-key", "apiKeyFile: api", 1),
		"api":        "hush-hush",
	})
	c, err := config.Load(path, environ("TOPLU_BATCH_MAXWAIT=5s"))
	if err != nil {
		t.Fatal(err)
	}
	from := map[string]string{}
	for _, s := range c.Settings() {
		from[s.Key] = s.Value + " | " + s.From + " | " + s.Env
	}
	want := map[string]string{
		"kafka.brokers":               "127.0.0.1:9092 | toplu.yaml:1 | TOPLU_KAFKA_BROKERS",
		"kafka.group":                 "toplu | default | TOPLU_KAFKA_GROUP",
		"kafka.password":              " | default | TOPLU_KAFKA_PASSWORD",
		"batch.maxWait":               "5s | env TOPLU_BATCH_MAXWAIT | TOPLU_BATCH_MAXWAIT",
		"merchants.default.apiKey":    "*** | secret file api (toplu.yaml:4) | TOPLU_MERCHANTS_DEFAULT_APIKEY",
		"merchants.default.secretKey": "*** | toplu.yaml:4 | TOPLU_MERCHANTS_DEFAULT_SECRETKEY",
	}
	for key, w := range want {
		if from[key] != w {
			t.Errorf("%s: got %q, want %q", key, from[key], w)
		}
	}
	asJSON, err := json.Marshal(any(c))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %x", c, c, c, c.Merchants["default"].APIKey), string(asJSON), fmt.Sprint(c.Settings())} {
		if strings.Contains(text, "hush-hush") || strings.Contains(text, "sandbox-secret") || strings.Contains(text, fmt.Sprintf("%x", "hush-hush")) {
			t.Errorf("a secret is in %s", text)
		}
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	if _, err := config.Load(filepath.Join(t.TempDir(), "no.yaml"), environ()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for name, text := range map[string]string{"not YAML": "a: [", "anchor": "merchants: {default: {secretKey: *hush}}"} {
		_, err := load(t, text)
		if err == nil || !strings.Contains(err.Error(), "is not YAML") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestReferenceIsUpToDate(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "configuration.md")
	if *update {
		if err := os.WriteFile(path, []byte(config.Reference()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Reference(), string(got)); diff != "" {
		t.Errorf("run: go test ./internal/config -update\n%s", diff)
	}
	c, err := config.Load(write(t, map[string]string{"toplu.yaml": config.Example, "secrets/api-key": "k", "secrets/secret-key": "s"}), environ())
	if err != nil || c.Iyzico.PageSize != 1000 {
		t.Errorf("the example of the reference: %v", err)
	}
}

// TestMerchantsOfSecurityPage loads what docs/security.md shows of a merchant with a
// topic of its own.
func TestMerchantsOfSecurityPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n```yaml\n")
	merchants, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		t.Fatal("docs/security.md shows no merchants")
	}
	c, err := config.Load(write(t, map[string]string{"toplu.yaml": merchants}), environ("TOPLU_KAFKA_BROKERS=b:1"), "kafka")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintln(c.Topics().Sources(), c.GroupOf("payout.requests.market"), c.Merchants["market"].Topics, c.Merchants["default"].Topics); got !=
		"[payout.requests payout.requests.market] toplu.payout.requests.market [payout.requests.market] [payout.requests]\n" {
		t.Error(got)
	}
}
