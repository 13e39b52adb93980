package config_test

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/realparts"
)

// pki makes a folder with an authority and a certificate of ours in tls/, and
// returns the path of the configuration in it.
func pki(t *testing.T, files map[string]string) (path string, a *realparts.Authority) {
	t.Helper()
	path = write(t, files)
	a, err := realparts.NewAuthority(filepath.Join(filepath.Dir(path), "tls"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Issue("ours"); err != nil {
		t.Fatal(err)
	}
	return path, a
}

func TestTLS(t *testing.T) {
	t.Parallel()
	if c, err := mustLoad(t, shape).Kafka.TLSConfig(); c != nil || err != nil {
		t.Errorf("off: got %v, %v", c, err)
	}
	path, a := pki(t, map[string]string{"toplu.yaml": shape})
	c, err := config.Load(path, environ("TOPLU_REDIS_TLS=true", "TOPLU_REDIS_CAFILE=tls/ca.pem", "TOPLU_KAFKA_TLS=true",
		"TOPLU_KAFKA_CERTFILE=tls/ours.pem", "TOPLU_KAFKA_KEYFILE=tls/ours.key"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Redis.CAFile; got != filepath.Join(filepath.Dir(path), "tls", "ca.pem") {
		t.Errorf("the path begins at the configuration's folder, got %s", got)
	}
	redis, err := c.Redis.TLSConfig()
	if err != nil || redis.RootCAs == nil || redis.GetClientCertificate != nil || redis.MinVersion != tls.VersionTLS12 {
		t.Errorf("redis: %+v, %v", redis, err)
	}
	kafka, err := c.Kafka.TLSConfig()
	if err != nil || kafka.RootCAs != nil {
		t.Fatalf("kafka: %+v, %v", kafka, err)
	}
	before, err := kafka.GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Issue("ours"); err != nil {
		t.Fatal(err)
	}
	after, err := kafka.GetClientCertificate(nil)
	if err != nil || bytes.Equal(before.Certificate[0], after.Certificate[0]) {
		t.Errorf("a renewed certificate was not taken: %v", err)
	}
}

func TestSecurityMistakes(t *testing.T) {
	t.Parallel()
	kafka := func(env ...string) []string { return append(env, "TOPLU_KAFKA_TLS=true") }
	tests := []struct {
		name string
		env  []string
		want string // "": none
	}{
		{"all of it", kafka("TOPLU_KAFKA_CAFILE=tls/ca.pem", "TOPLU_KAFKA_USERNAME=u", "TOPLU_KAFKA_PASSWORD=p", "TOPLU_KAFKA_MECHANISM=SCRAM-SHA-512"), ""},
		{"authority of nobody", kafka("TOPLU_KAFKA_CAFILE=tls/empty.pem"), "kafka.caFile cannot be used: no certificate in"},
		{"authority that is not there", kafka("TOPLU_KAFKA_CAFILE=no.pem"), "kafka.caFile cannot be used: open"},
		{"certificate without its key", kafka("TOPLU_KAFKA_CERTFILE=tls/ours.pem"), "kafka.certFile and kafka.keyFile go together"},
		{"key of another", kafka("TOPLU_KAFKA_CERTFILE=tls/ca.pem", "TOPLU_KAFKA_KEYFILE=tls/ours.key"), "kafka.certFile cannot be used: tls: private key does not match"},
		{"certificates for nothing", []string{"TOPLU_REDIS_CAFILE=tls/ca.pem"}, "redis.caFile is set, but redis.tls is off"},
		{"mechanism that there is not", []string{"TOPLU_KAFKA_MECHANISM=GSSAPI"}, `kafka.mechanism "GSSAPI" is none of the words allowed; allowed: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512`},
		{"mechanism for nobody", []string{"TOPLU_KAFKA_MECHANISM=SCRAM-SHA-256"}, "kafka.mechanism is set, but kafka.username is not"},
		{"password of nobody", []string{"TOPLU_KAFKA_PASSWORD=p"}, "kafka.username and kafka.password go together"},
		{"user without password", []string{"TOPLU_REDIS_USERNAME=u"}, "redis.username needs redis.password"},
		{"sentinels", []string{"TOPLU_REDIS_MASTERNAME=m", "TOPLU_REDIS_SENTINELUSERNAME=u", "TOPLU_REDIS_SENTINELPASSWORD=p"}, ""},
		{"sentinel without password", []string{"TOPLU_REDIS_MASTERNAME=m", "TOPLU_REDIS_SENTINELUSERNAME=u"}, "redis.sentinelUsername needs redis.sentinelPassword"},
		{"sentinels of no master", []string{"TOPLU_REDIS_SENTINELPASSWORD=p"}, "redis.masterName is not set"},
		{"sentinels of a cluster", []string{"TOPLU_REDIS_MASTERNAME=m", "TOPLU_REDIS_CLUSTER=true"}, "redis.cluster and redis.masterName do not go together"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path, _ := pki(t, map[string]string{"toplu.yaml": shape, "tls/empty.pem": "none"})
			_, err := config.Load(path, environ(tt.env...))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\n") != 1) {
				t.Errorf("want one mistake, %q; got %v", tt.want, err)
			}
		})
	}
}

// TestSecretsAreExchanged shows that a secret from a file is read again, and
// one that is being written is not taken for another.
func TestSecretsAreExchanged(t *testing.T) {
	t.Parallel()
	path := write(t, map[string]string{"toplu.yaml": shape, "pass": "first\n"})
	c, err := config.Load(path, environ("TOPLU_KAFKA_USERNAME=u", "TOPLU_KAFKA_PASSWORDFILE=pass", "TOPLU_REDIS_PASSWORD=fixed"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(path), "pass")
	steps := []struct {
		write, want string // want "": an error
	}{{"second", "second"}, {"", ""}, {"half\nwritten", ""}, {"third\r\n", "third"}}
	for _, step := range steps {
		if err := os.WriteFile(file, []byte(step.write), 0o600); err != nil {
			t.Fatal(err)
		}
		now, err := c.Kafka.Password.Latest()
		switch {
		case step.want == "" && (err == nil || strings.Contains(err.Error(), "half")):
			t.Errorf("%q: got %v", step.write, err)
		case step.want != "" && (err != nil || now.Reveal() != step.want):
			t.Errorf("%q: got %q, %v", step.write, now.Reveal(), err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Kafka.Password.Latest(); err == nil {
		t.Error("a file that is gone is no error")
	}
	if c.Kafka.Password.Reveal() != "first" {
		t.Error("a Secret does not change by itself")
	}
	if now, err := c.Redis.Password.Latest(); err != nil || now.Reveal() != "fixed" {
		t.Errorf("a secret without a file: got %q, %v", now.Reveal(), err)
	}
}
