package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/toplu/toplu/internal/app"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A result is what one run of toplu left.
type result struct {
	code        int
	out, errors string
}

// run runs toplu to its end.
func run(t *testing.T, env map[string]string, stdin string, args ...string) result {
	t.Helper()
	return runWith(t.Context(), env, stdin, args...)
}

func runWith(ctx context.Context, env map[string]string, stdin string, args ...string) result {
	var out bytes.Buffer
	var errs lockedBuffer
	code := app.Run(ctx, args, func(name string) string { return env[name] }, strings.NewReader(stdin), &out, &errs)
	return result{code, out.String(), errs.String()}
}

// want checks an exit status and texts of both streams.
func (r result) want(t *testing.T, code int, out, errs string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.out, out) || !strings.Contains(r.errors, errs) {
		t.Errorf("got exit status %d, want %d\nstandard output: %swant in it: %s\nstandard error: %swant in it: %s", r.code, code, r.out, out, r.errors, errs)
	}
}

// decode reads the one JSON object on standard output.
func decode[T any](t *testing.T, r result) T {
	t.Helper()
	var v T
	d := json.NewDecoder(strings.NewReader(r.out))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil || d.More() {
		t.Fatalf("standard output is not one JSON object of this shape (%v): %s", err, r.out)
	}
	return v
}

// file writes a file into a fresh folder.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fakeKafka starts a broker in this process and returns the environment that
// points at it.
func fakeKafka(t *testing.T, opts ...kfake.Opt) map[string]string {
	t.Helper()
	cluster, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return map[string]string{"TOPLU_KAFKA_BROKERS": strings.Join(cluster.ListenAddrs(), ",")}
}

const complete = `kafka: {brokers: [127.0.0.1:9092]}
redis: {addrs: [127.0.0.1:6379]}
iyzico: {baseUrl: http://127.0.0.1:8081}
merchants: {default: {apiKey: sandbox-key, secretKey: hush-hush}}
`

func TestWrongUse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"bogus"}, {"send"}, {"config"}, {"config", "check", "--nope"}, {"topics", "create", "--partitions", "-1"}} {
		r := run(t, nil, "", args...)
		r.want(t, 2, "", "toplu: ")
		if r.out != "" {
			t.Errorf("%v: standard output has %q", args, r.out)
		}
	}
}

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	run(t, nil, "", "config", "check", "--config", file(t, "toplu.yaml", complete)).want(t, 0, "configuration: fine\n", "")
	run(t, map[string]string{"TOPLU_CONFIG": file(t, "toplu.yaml", complete)}, "", "config", "check").want(t, 0, "fine", "")
	run(t, nil, "", "config", "check", "--config", "/not/there.yaml").want(t, 1, "", "toplu: configuration: open /not/there.yaml")

	bad := file(t, "toplu.yaml", complete+"batch: {maxItem: 0}\nlog: {level: loud}\n")
	r := run(t, nil, "", "config", "check", "--config", bad)
	r.want(t, 1, "", "2 mistakes\n  toplu.yaml:5: batch.maxItem is not a key that toplu knows; did you mean batch.maxItems?\n  toplu.yaml:6: log.level")

	type verdict struct {
		OK       bool `json:"ok"`
		Problems []struct{ Key, Value, Where, Reason, Allowed string }
	}
	r = run(t, nil, "", "config", "check", "--json", "--config", bad)
	r.want(t, 1, "", "")
	if v := decode[verdict](t, r); v.OK || len(v.Problems) != 2 || v.Problems[1].Where != "toplu.yaml:6" || r.errors != "" {
		t.Errorf("got %+v", r)
	}
	r = run(t, nil, "", "config", "check", "--json", "--config", file(t, "toplu.yaml", complete))
	if v := decode[verdict](t, r); !v.OK || v.Problems == nil || r.code != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestConfigShow(t *testing.T) {
	t.Parallel()
	path := file(t, "toplu.yaml", complete)
	r := run(t, map[string]string{"TOPLU_BATCH_MAXITEMS": "50"}, "", "config", "show", "-c", path)
	r.want(t, 0, "# env TOPLU_BATCH_MAXITEMS", "")
	if flat := strings.Join(strings.Fields(r.out), " "); !strings.Contains(flat, "merchants.default.secretKey: *** # toplu.yaml:4") ||
		!strings.Contains(flat, "merchants.default.batch.maxItems: 50 # batch.maxItems, env TOPLU_BATCH_MAXITEMS") {
		t.Errorf("got %s", r.out)
	}
	asJSON := run(t, nil, "", "config", "show", "--json", "-c", path)
	v := decode[struct {
		Settings []struct{ Key, Value, From, Env string }
	}](t, asJSON)
	if len(v.Settings) < 40 || v.Settings[0].Key != "kafka.brokers" || v.Settings[0].From != "toplu.yaml:1" {
		t.Errorf("got %+v", v)
	}
	if strings.Contains(r.out+asJSON.out, "hush") || strings.Contains(r.out+asJSON.out, "sandbox") {
		t.Error("a secret is shown")
	}
}
