package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLSConfig returns what to speak TLS with: nil if it is off.
func (k Kafka) TLSConfig() (*tls.Config, error) {
	return tlsParts{"kafka", k.TLS, k.CAFile, k.CertFile, k.KeyFile}.config()
}

// TLSConfig returns what to speak TLS with, Redis and sentinels alike: nil if
// it is off.
func (r Redis) TLSConfig() (*tls.Config, error) {
	return tlsParts{"redis", r.TLS, r.CAFile, r.CertFile, r.KeyFile}.config()
}

// tlsParts are the keys about TLS of one section.
type tlsParts struct {
	section           string
	on                bool
	ca, cert, private string // paths; "": none
}

// A fileError is a file that a key names and that is not what it must be.
type fileError struct {
	key string
	err error
}

func (e *fileError) Error() string { return e.key + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

func (p tlsParts) config() (*tls.Config, error) {
	if !p.on {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.ca != "" {
		pem, err := os.ReadFile(p.ca)
		if err != nil {
			return nil, &fileError{p.section + ".caFile", err}
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &fileError{p.section + ".caFile", fmt.Errorf("no certificate in %s", p.ca)}
		}
	}
	if p.cert == "" || p.private == "" {
		return c, nil
	}
	if _, err := p.certificate(); err != nil {
		return nil, err
	}
	// Certificates run out sooner than programs: each handshake has the newest.
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.certificate() }
	return c, nil
}

func (p tlsParts) certificate() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(p.cert, p.private)
	if err != nil {
		return nil, &fileError{p.section + ".certFile", err}
	}
	return &pair, nil
}

// agreementOnSecurity checks that nobody believes to be protected who is not:
// what only means something with TLS, or with a login, is a mistake without.
func (l *loader) agreementOnSecurity(disagree func(name, reason string)) {
	k, r := l.cfg.Kafka, l.cfg.Redis
	for _, p := range []tlsParts{{"kafka", k.TLS, k.CAFile, k.CertFile, k.KeyFile}, {"redis", r.TLS, r.CAFile, r.CertFile, r.KeyFile}} {
		for name, path := range map[string]string{".caFile": p.ca, ".certFile": p.cert, ".keyFile": p.private} {
			if path != "" && !p.on {
				disagree(p.section+name, "is set, but "+p.section+".tls is off: nothing would be encrypted")
			}
		}
		if (p.cert == "") != (p.private == "") {
			disagree(p.section+".certFile", "and "+p.section+".keyFile go together, and one of them is not set")
		}
		if bad, ok := errors.AsType[*fileError](errOf(p.config())); ok && l.needs(p.section) {
			disagree(bad.key, "cannot be used: "+bad.err.Error())
		}
	}
	if l.needs("kafka") {
		switch {
		case (k.Username == "") == k.Password.IsSet():
			disagree("kafka.username", "and kafka.password go together, and one of them is not set")
		case k.Username == "" && k.Mechanism != "" && k.Mechanism != MechanismPlain:
			disagree("kafka.mechanism", "is set, but kafka.username is not: nobody would log in")
		}
	}
	if r.MasterName != "" && r.Cluster {
		disagree("redis.cluster", "and redis.masterName do not go together: a Redis Cluster has no sentinels")
	}
	if r.MasterName == "" && (r.SentinelUsername != "" || r.SentinelPassword.IsSet()) {
		disagree("redis.masterName", "is not set, but a login at sentinels is")
	}
	if r.SentinelUsername != "" && !r.SentinelPassword.IsSet() && l.needs("redis") {
		disagree("redis.sentinelUsername", "needs redis.sentinelPassword")
	}
	if r.Username != "" && !r.Password.IsSet() && l.needs("redis") {
		disagree("redis.username", "needs redis.password")
	}
}

func errOf(_ *tls.Config, err error) error { return err }
