package realparts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// An Authority signs certificates for servers on the loopback interface and for
// their clients, good for a day.
type Authority struct {
	CAFile string // its own certificate, PEM

	dir    string
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

// A Certificate is a certificate with its key, as files that the owner alone
// can read.
type Certificate struct {
	CertFile, KeyFile string // PEM, the key in PKCS #8
	BothFile          string // both in one, the key first, as Kafka wants it
}

// NewAuthority makes an authority whose files, and those of what it signs, are
// in dir.
func NewAuthority(dir string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &Authority{CAFile: filepath.Join(dir, "ca.pem"), dir: dir, key: key}
	template := a.template("authority of tests")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	return a, os.WriteFile(a.CAFile, pemOf("CERTIFICATE", der), 0o600)
}

// Issue signs a certificate for name, as its common name, which is good for a
// server on 127.0.0.1 and for a client. A name issued again replaces the files.
func (a *Authority) Issue(name string) (Certificate, error) {
	c := Certificate{
		CertFile: filepath.Join(a.dir, name+".pem"),
		KeyFile:  filepath.Join(a.dir, name+".key"),
		BothFile: filepath.Join(a.dir, name+".both.pem"),
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	template := a.template(name)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	template.IPAddresses, template.DNSNames = []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"localhost"}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return c, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return c, err
	}
	certPEM, keyPEM := pemOf("CERTIFICATE", der), pemOf("PRIVATE KEY", private)
	for path, content := range map[string][]byte{
		c.CertFile: certPEM, c.KeyFile: keyPEM, c.BothFile: append(append([]byte{}, keyPEM...), certPEM...),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return c, fmt.Errorf("certificate of %s: %w", name, err)
		}
	}
	return c, nil
}

func (a *Authority) template(name string) *x509.Certificate {
	a.serial++
	now := time.Now() //nolint:forbidigo // servers compare it with their clocks
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
