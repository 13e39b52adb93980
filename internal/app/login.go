package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go" //nolint:depguard // only for the brokers' error codes about logins
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
)

// A kafkaLogin logs each connection in with the password as it is then, so
// that it can be exchanged while the program runs.
type kafkaLogin struct{ k config.Kafka }

// Name implements [sasl.Mechanism].
func (l kafkaLogin) Name() string { return string(l.k.Mechanism) }

// Start implements [sasl.Mechanism].
func (l kafkaLogin) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	password, err := l.k.Password.Latest()
	if err != nil {
		// To callers the same as a broker's no: it may be right in a moment.
		return nil, nil, fmt.Errorf("%w: kafka.passwordFile %w", kafka.SASLAuthenticationFailed, err)
	}
	m, err := mechanism(l.k.Mechanism, l.k.Username, password)
	if err != nil {
		return nil, nil, err
	}
	return m.Start(ctx)
}

func mechanism(m config.Mechanism, user string, password config.Secret) (sasl.Mechanism, error) {
	switch m {
	case config.MechanismPlain:
		return plain.Mechanism{Username: user, Password: password.Reveal()}, nil
	case config.MechanismScram256:
		return scram.Mechanism(scram.SHA256, user, password.Reveal())
	case config.MechanismScram512:
		return scram.Mechanism(scram.SHA512, user, password.Reveal())
	}
	return nil, fmt.Errorf("kafka.mechanism %q is not known", m)
}

// redisLogin returns the user and the password as it is now. Nil if there is
// no password.
func redisLogin(r config.Redis) func(context.Context) (string, string, error) {
	if !r.Password.IsSet() {
		return nil
	}
	return func(context.Context) (string, string, error) {
		password, err := r.Password.Latest()
		if err != nil {
			return "", "", fmt.Errorf("redis.passwordFile %w", err)
		}
		return r.Username, password.Reveal(), nil
	}
}

// advised is an error with what a person can do about it.
type advised struct {
	err    error
	advice string
}

func (a *advised) Error() string { return a.err.Error() + "\n" + a.advice }
func (a *advised) Unwrap() error { return a.err }

func advise(err error, advice string) error {
	if _, already := errors.AsType[*advised](err); already || advice == "" {
		return err
	}
	return &advised{err, advice}
}

// explain adds to an error of any command what a person can do about it.
func explain(err error) error {
	switch text := err.Error(); {
	case isKafkaLogin(err), isForbidden(err), strings.Contains(text, "kafka: "):
		return explainKafka(err)
	case strings.Contains(text, "redis: "):
		return explainRedis(err)
	}
	return err
}

// explainKafka adds to an error what a person can do about it.
func explainKafka(err error) error {
	switch {
	case errors.Is(err, kafkaio.ErrTopicMissing):
		return advise(err, "To create what is missing: toplu topics create")
	case isKafkaLogin(err):
		return advise(err, "Check kafka.username, kafka.password and kafka.mechanism: the user must exist at the brokers, for this mechanism")
	case isForbidden(err):
		return advise(err, "The broker knows kafka.username (or kafka.certFile) and does not allow it this; docs/security.md has what each user needs")
	case explainTLS("kafka", err) != "":
		return advise(err, explainTLS("kafka", err))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return advise(err, "Brokers hang up on a wrong login, and when one side speaks TLS and the other does not: see kafka.tls, kafka.username and kafka.password")
	}
	return err
}

// explainRedis adds to an error what a person can do about it.
func explainRedis(err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "NOPERM"):
		return advise(err, "Redis knows redis.username and does not allow it this; docs/security.md has what it needs")
	case isRedisLogin(err) && strings.Contains(text, "sentinel"):
		return advise(fmt.Errorf("the sentinels refuse the login: %w", err), "Check redis.sentinelUsername and redis.sentinelPassword, which are not those of Redis itself")
	case isRedisLogin(err):
		return advise(fmt.Errorf("redis refuses the login: %w", err), "Check redis.username and redis.password")
	}
	return advise(err, explainTLS("redis", err))
}

// hopeless ends a start that waiting does not mend: who may not come in now will
// not be let in later.
func hopeless(err error) error {
	if isKafkaLogin(err) || isForbidden(err) || isRedisLogin(err) || isHandshake(err) {
		return startError{err}
	}
	return err
}

// explainTLS says what to do about a failed handshake, "" if err is none. The
// section names the keys.
func explainTLS(section string, err error) string {
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, plainText := errors.AsType[tls.RecordHeaderError](err)
	_, otherHost := errors.AsType[x509.HostnameError](err)
	switch text := err.Error(); {
	case otherHost:
		return "Its certificate is for another name: address it as the certificate does"
	case unverified:
		return "Its certificate is of an authority that is not trusted here, or out of date: check " + section + ".caFile"
	case plainText:
		return "It does not speak TLS there: check the port, or " + section + ".tls"
	case strings.Contains(text, "remote error: tls:"):
		return "It does not take our certificate, or wants one: check " + section + ".certFile and " + section + ".keyFile"
	}
	return ""
}

// isHandshake reports whether err is about TLS, which waiting does not mend.
func isHandshake(err error) bool { return explainTLS("", err) != "" }

// isKafkaLogin reports whether a broker refused a user or its mechanism.
func isKafkaLogin(err error) bool {
	return errors.Is(err, kafkaio.ErrLogin)
}

// isForbidden reports whether a broker knows the user and does not let it do
// something.
func isForbidden(err error) bool {
	code, ok := errors.AsType[kafka.Error](err)
	return ok && slices.Contains([]kafka.Error{
		kafka.TopicAuthorizationFailed, kafka.GroupAuthorizationFailed, kafka.ClusterAuthorizationFailed,
		kafka.TransactionalIDAuthorizationFailed,
	}, code)
}

// isRedisLogin reports whether Redis or a sentinel refuses the user, or what it
// wants to do. The library has no type for it; the words are the server's.
func isRedisLogin(err error) bool {
	text := err.Error()
	return slices.ContainsFunc([]string{"WRONGPASS", "NOAUTH", "NOPERM"}, func(w string) bool { return strings.Contains(text, w) })
}
