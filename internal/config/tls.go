package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// TLSConfig returns what to speak TLS with: nil if it is off.
func (k Kafka) TLSConfig() (*tls.Config, error) { return tlsConfig("kafka", k.TLS, k.CAFile) }

// TLSConfig returns what to speak TLS with: nil if it is off.
func (r Redis) TLSConfig() (*tls.Config, error) { return tlsConfig("redis", r.TLS, r.CAFile) }

func tlsConfig(section string, on bool, caFile string) (*tls.Config, error) {
	if !on {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(caFile) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("%s.caFile: %w", section, err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s.caFile: no certificate in %s", section, caFile)
	}
	return c, nil
}
