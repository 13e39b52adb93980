package config_test

import (
	"encoding/pem"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/toplu/toplu/internal/config"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	if c, err := mustLoad(t, shape).Kafka.TLSConfig(); c != nil || err != nil {
		t.Errorf("off: got %v, %v", c, err)
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	path := write(t, map[string]string{"toplu.yaml": shape, "tls/ca.pem": string(authority), "tls/empty.pem": "none"})
	env := environ("TOPLU_REDIS_TLS=true", "TOPLU_REDIS_CAFILE=tls/ca.pem", "TOPLU_KAFKA_TLS=true", "TOPLU_KAFKA_CAFILE=tls/empty.pem")
	c, err := config.Load(path, env)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Redis.CAFile; got != filepath.Join(filepath.Dir(path), "tls", "ca.pem") {
		t.Errorf("the path begins at the configuration's folder, got %s", got)
	}
	if tlsConfig, err := c.Redis.TLSConfig(); err != nil || tlsConfig.RootCAs == nil {
		t.Errorf("redis: %v", err)
	}
	if _, err := c.Kafka.TLSConfig(); err == nil {
		t.Error("a file without certificates was accepted")
	}
}
