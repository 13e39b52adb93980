package app

import (
	"github.com/rs/zerolog"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
)

// dialKafka returns a client for the configuration's cluster. It knows only
// the topics named, or all if none are, and must be closed.
func dialKafka(k config.Kafka, log zerolog.Logger, topics ...string) (*kafkaio.Client, error) {
	tlsConfig, err := k.TLSConfig()
	if err != nil {
		return nil, err
	}
	c := kafkaio.Config{
		Brokers:        k.Brokers,
		ClientID:       k.ClientID,
		Compression:    k.Compression,
		Topics:         topics,
		SessionTimeout: k.SessionTimeout,
		Timeout:        k.Timeout,
		TLS:            tlsConfig,
		Logger:         log,
	}
	if k.Username != "" {
		c.SASL = kafkaLogin{k}
	}
	return kafkaio.Dial(c)
}

// kafka is the beginning of a short command: configuration and client, for
// commands that need no more than the section kafka.
func (p *program) kafka(topics func(config.Topics) []string) (*config.Config, *kafkaio.Client, error) {
	cfg, err := p.config("kafka")
	if err != nil {
		return nil, nil, err
	}
	log, err := newLogger(cfg.Log, p.stderr)
	if err != nil {
		return nil, nil, err
	}
	client, err := dialKafka(cfg.Kafka, log, topics(cfg.Topics())...)
	return cfg, client, err
}
