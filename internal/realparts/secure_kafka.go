package realparts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// kafkaAdmin is the user of a secured broker that may do everything.
const kafkaAdmin = "admin"

// KafkaSecurity is a broker's: whom it lets in. Nobody but [Kafka.Admin] may do
// anything until ACLs say so.
type KafkaSecurity struct {
	Authority *Authority        // signs the broker's certificate and those of clients
	Users     map[string]string // passwords by user, for PLAIN and SCRAM alike
}

// StartSecureKafka is [StartKafka] with TLS on every connection. Brokers is a
// listener for SASL, with all three mechanisms; MutualTLS is one for
// certificates, whose common name is the user. It does not run in Docker.
func StartSecureKafka(ctx context.Context, version, dir string, security KafkaSecurity) (*Kafka, error) {
	home, err := home()
	if err != nil {
		return nil, err
	}
	if useDocker(home) {
		return nil, fmt.Errorf("a secured broker in Docker: %w", errors.ErrUnsupported)
	}
	security.Users = maps.Clone(security.Users)
	security.Users[kafkaAdmin] = "admin-password"
	return startKafkaAnywhere(ctx, version, dir, "", &security)
}

// properties makes a secured broker's configuration of an open one's. The
// broker speaks to itself with its certificate.
func (s *KafkaSecurity) properties(open []byte, ports []int) ([]byte, error) {
	broker, err := s.Authority.Issue("broker")
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for line := range strings.Lines(string(open)) {
		key, _, _ := strings.Cut(line, "=")
		if !slices.Contains([]string{"listeners", "advertised.listeners", "inter.broker.listener.name", "listener.security.protocol.map"}, key) {
			b.WriteString(line)
		}
	}
	clients := fmt.Sprintf("SASL_SSL://127.0.0.1:%d,SSL://127.0.0.1:%d", ports[0], ports[2])
	fmt.Fprintf(&b, "listeners=%s,CONTROLLER://127.0.0.1:%d\nadvertised.listeners=%s\n", clients, ports[1], clients)
	fmt.Fprintf(&b, "ssl.keystore.location=%s\nssl.truststore.location=%s\n", broker.BothFile, s.Authority.CAFile)
	b.WriteString(`listener.security.protocol.map=CONTROLLER:SSL,SASL_SSL:SASL_SSL,SSL:SSL
inter.broker.listener.name=SSL
ssl.keystore.type=PEM
ssl.truststore.type=PEM
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/
listener.name.ssl.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:broker
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required`)
	for user, password := range s.Users {
		fmt.Fprintf(&b, ` user_%s="%s"`, user, password)
	}
	b.WriteString(";\n")
	return []byte(b.String()), nil
}

// scram are the arguments that have the storage made with the users in it.
func (s *KafkaSecurity) scram() []string {
	var args []string
	for user, password := range s.Users {
		for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, user, password))
		}
	}
	return args
}

// Admin returns a client that may do everything, and what ends it.
func (k *Kafka) Admin() (client *kafka.Client, end func(), err error) {
	transport := &kafka.Transport{DialTimeout: 2 * time.Second}
	if s := k.security; s != nil {
		if transport.TLS, err = s.Authority.ClientTLS(); err != nil {
			return nil, nil, err
		}
		if transport.SASL, err = scram.Mechanism(scram.SHA512, kafkaAdmin, s.Users[kafkaAdmin]); err != nil {
			return nil, nil, err
		}
	}
	return &kafka.Client{Addr: kafka.TCP(k.Brokers...), Timeout: 10 * time.Second, Transport: transport}, transport.CloseIdleConnections, nil
}

// ClientTLS trusts what the authority has signed.
func (a *Authority) ClientTLS() (*tls.Config, error) {
	pem, err := os.ReadFile(a.CAFile)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	c.RootCAs.AppendCertsFromPEM(pem)
	return c, nil
}
