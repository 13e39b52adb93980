package app

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// TestKeysAreExchanged shows that a merchant's keys can be exchanged while the
// service runs, one file after the other, and that no half of a new pair signs
// a call.
func TestKeysAreExchanged(t *testing.T) {
	t.Parallel()
	server := func(keys map[string]string) http.Handler {
		s, err := iyzicotest.NewServer(iyzicotest.Config{Merchants: keys})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var now atomic.Pointer[http.Handler] // what iyzico takes at the moment
	takes := func(keys map[string]string) { h := server(keys); now.Store(&h) }
	takes(map[string]string{"key-1": "secret-1"})
	iyzi := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*now.Load()).ServeHTTP(w, r) }))
	defer iyzi.Close()

	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("api", "key-1\n")
	write("hush", "secret-1\n")
	write("toplu.yaml", `kafka: {brokers: [127.0.0.1:1]}
redis: {addrs: [127.0.0.1:1]}
iyzico: {baseUrl: "`+iyzi.URL+`"}
merchants: {default: {apiKeyFile: api, secretKeyFile: hush}}
`)
	cfg, err := config.Load(filepath.Join(dir, "toplu.yaml"), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := openAccounts(cfg, newRegistry(), newRecentCalls(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	a := accounts["default"]
	defer a.CloseIdleConnections()
	var said bytes.Buffer
	look := func() { a.lookForKeys(t.Context(), zerolog.New(&said)) }

	both := map[string]string{"key-1": "secret-1", "key-2": "secret-2"}
	steps := []struct {
		name   string
		change func()
		takes  map[string]string // by iyzico, from then on
		works  bool              // the account's next call
		says   string            // the log; "": nothing new
	}{
		{"nothing new", func() {}, both, true, ""},
		{"half of a pair", func() { write("api", "key-2") }, both, true, "wait for iyzico to accept them"},
		{"still half", func() {}, both, true, ""},
		{"a file being written", func() { write("hush", "") }, both, true, "cannot be read"},
		{"the whole pair", func() { write("hush", "secret-2") }, both, true, "new keys are in force"},
		{"the old pair is revoked", func() {}, map[string]string{"key-2": "secret-2"}, true, ""},
		{"a pair that iyzico does not know yet", func() { write("hush", "secret-3") }, map[string]string{"key-2": "secret-2"}, true, "wait for iyzico to accept them"},
		{"iyzico knows it", func() {}, map[string]string{"key-2": "secret-3"}, true, "new keys are in force"},
		{"revoked, and nothing new", func() {}, map[string]string{"key-4": "secret-4"}, false, ""},
	}
	for _, step := range steps {
		said.Reset()
		step.change()
		takes(step.takes)
		look()
		if _, err := a.Balance(t.Context()); (err == nil) != step.works {
			t.Errorf("%s: the next call: %v", step.name, err)
		}
		if got := said.String(); !strings.Contains(got, step.says) || step.says == "" && got != "" {
			t.Errorf("%s: the log says %q, want %q", step.name, got, step.says)
		}
		for _, hush := range []string{"key-", "secret-"} {
			if strings.Contains(said.String(), hush) {
				t.Errorf("%s: a key is in the log: %s", step.name, said.String())
			}
		}
	}
}

// TestLoginWithTheLatestPassword shows that each connection to Kafka logs in
// with the password that its file holds by then.
func TestLoginWithTheLatestPassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{"TOPLU_KAFKA_BROKERS": "127.0.0.1:1", "TOPLU_KAFKA_USERNAME": "toplu", "TOPLU_KAFKA_PASSWORDFILE": filepath.Join(dir, "pass")}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "pass"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	cfg, err := config.Load("", func(name string) string { return env[name] }, "kafka")
	if err != nil {
		t.Fatal(err)
	}
	login := kafkaLogin{cfg.Kafka}
	for _, password := range []string{"one", "two"} {
		write(password)
		if _, first, err := login.Start(t.Context()); err != nil || string(first) != "\x00toplu\x00"+password {
			t.Errorf("got %q, %v", first, err)
		}
	}
	write("")
	if _, _, err := login.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "kafka.passwordFile") {
		t.Errorf("an empty file: %v", err)
	}
}
