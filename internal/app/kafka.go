package app

import (
	"errors"
	"fmt"
	"io"

	"github.com/rs/zerolog"
	"github.com/segmentio/kafka-go/sasl/plain"

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
		Topics:         topics,
		SessionTimeout: k.SessionTimeout,
		Timeout:        k.Timeout,
		TLS:            tlsConfig,
		Logger:         log,
	}
	if k.Username != "" {
		c.SASL = plain.Mechanism{Username: k.Username, Password: k.Password.Reveal()}
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
	client, err := dialKafka(cfg.Kafka, log, topics(cfg.Kafka.Topics())...)
	return cfg, client, err
}

// explainKafka adds to an error what a person can do about it.
func explainKafka(err error) error {
	switch {
	case errors.Is(err, kafkaio.ErrTopicMissing):
		return fmt.Errorf("%w\nTo create what is missing: toplu topics create", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w\nBrokers hang up on a wrong login, or when one side speaks TLS and the other does not: see kafka.tls, kafka.username and kafka.password", err)
	}
	return err
}
