package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// The merchant of the demo.
const (
	apiKey    = "sandbox-demo-key"
	secretKey = "sandbox-demo-secret" //nolint:gosec // a key of the simulator alone
)

// Parts are the service's surroundings, on free ports of this machine.
type Parts struct {
	kafka     *kfake.Cluster
	redis     *miniredis.Miniredis
	simulator *iyzicotest.Server
	http      *http.Server
	url       string
}

// Start starts Kafka, Redis and the simulator. settle is how long iyzico takes
// over a batch.
func Start(ctx context.Context, settle time.Duration) (*Parts, error) {
	p := &Parts{}
	var err error
	if p.kafka, err = kfake.NewCluster(kfake.NumBrokers(1)); err != nil {
		return nil, fmt.Errorf("demo: kafka: %w", err)
	}
	if p.redis, err = miniredis.Run(); err != nil {
		p.Close()
		return nil, fmt.Errorf("demo: redis: %w", err)
	}
	p.simulator, err = iyzicotest.NewServer(iyzicotest.Config{
		Merchants: map[string]string{apiKey: secretKey},
		Settings:  iyzicotest.Settings{Fate: fateOf, SettleWithin: iyzicotest.Duration(settle)},
	})
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("demo: simulator: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("demo: simulator: %w", err)
	}
	p.url = "http://" + listener.Addr().String()
	p.http = &http.Server{Handler: p.simulator, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := p.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a listener of our own on loopback
		}
	}()
	return p, nil
}

// Close stops everything.
func (p *Parts) Close() {
	if p.http != nil {
		_ = p.http.Close()
	}
	if p.redis != nil {
		p.redis.Close()
	}
	if p.kafka != nil {
		p.kafka.Close()
	}
}

// Brokers are the addresses of the Kafka.
func (p *Parts) Brokers() []string { return p.kafka.ListenAddrs() }

// Env is the configuration that connects the service with its surroundings, as
// environment variables over the defaults.
func (p *Parts) Env() map[string]string {
	return map[string]string{
		"TOPLU_KAFKA_BROKERS":               p.Brokers()[0],
		"TOPLU_REDIS_ADDRS":                 p.redis.Addr(),
		"TOPLU_IYZICO_BASEURL":              p.url,
		"TOPLU_IYZICO_GRACE":                "2s",
		"TOPLU_MERCHANTS_DEFAULT_APIKEY":    apiKey,
		"TOPLU_MERCHANTS_DEFAULT_SECRETKEY": secretKey,
		"TOPLU_BATCH_MAXITEMS":              "100",
		"TOPLU_BATCH_MAXWAIT":               "200ms",
		"TOPLU_REPORT_INTERVAL":             "100ms",
		"TOPLU_ADMIN_LISTEN":                "127.0.0.1:0",
		"TOPLU_LOG_LEVEL":                   "info",
		"TOPLU_LOG_FORMAT":                  "console",
	}
}
