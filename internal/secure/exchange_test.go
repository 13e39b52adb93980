//go:build integration && slow

package secure_test

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowSecureExchange gives the worker another password at the broker, has
// every connection end, and only then writes the file: the worker waits, and
// goes on by itself.
func TestSlowSecureExchange(t *testing.T) {
	p := newPlace(t, (*place).single)
	consumer, worker := p.halves()
	p.send(100)
	p.balanced(time.Minute)

	p.setPassword("toplu-worker", "pass-of-another-day")
	p.must(p.kafka.Restart(t.Context()))
	worker.says("SASL Authentication Failed", 30*time.Second)
	p.send(100)
	p.write("secrets/toplu-worker", "pass-of-another-day\n")
	p.balanced(time.Minute)
	consumer.end()
	worker.end()
}

// single is the configuration of one Redis with TLS and users.
func (p *place) single() string {
	p.t.Helper()
	return `{addrs: ["` + p.startRedis("redis", realparts.RedisSecurity{}).Addr + `"], tls: true, caFile: pki/ca.pem}`
}

// setPassword gives a user another password for SCRAM-SHA-512.
func (p *place) setPassword(user, password string) {
	p.t.Helper()
	admin, end, err := p.kafka.Admin()
	p.must(err)
	defer end()
	salt := []byte("salt of a test")
	salted, err := pbkdf2.Key(sha512.New, password, salt, 4096, sha512.Size)
	p.must(err)
	res, err := admin.AlterUserScramCredentials(p.t.Context(), &kafka.AlterUserScramCredentialsRequest{Upsertions: []kafka.UserScramCredentialsUpsertion{
		{Name: user, Mechanism: kafka.ScramMechanismSha512, Iterations: 4096, Salt: salt, SaltedPassword: salted},
	}})
	p.must(err)
	for _, r := range res.Results {
		p.must(r.Error)
	}
}
