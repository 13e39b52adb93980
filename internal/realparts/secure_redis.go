package realparts

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// RedisSecurity is a server's: whom it lets in, and what it is besides.
type RedisSecurity struct {
	Authority   *Authority // signs the server's certificate and those of clients
	ACL         string     // the lines of its aclfile
	ClientCerts bool       // clients must show a certificate
	Cluster     bool       // it is a node of a cluster, without slots yet
	Options     []string   // what else redis-server is told: "--replicaof", …
}

// StartSecureRedis is [StartRedis] with TLS on every connection, replicas' and
// a cluster's own among them, and users.
func StartSecureRedis(ctx context.Context, dir string, security RedisSecurity) (*Redis, error) {
	return startRedisAnywhere(ctx, dir, &security)
}

// options are what a secured server is told besides. A later option wins.
func (s *RedisSecurity) options(dir string, ports []int) ([]string, error) {
	cert, err := s.Authority.Issue("redis-" + strconv.Itoa(ports[0]))
	if err != nil {
		return nil, err
	}
	acl := filepath.Join(dir, "users.acl")
	if err := os.WriteFile(acl, []byte(s.ACL), 0o600); err != nil {
		return nil, err
	}
	clients := "no"
	if s.ClientCerts {
		clients = "yes"
	}
	options := []string{
		"--port", "0", "--tls-port", strconv.Itoa(ports[0]), "--aclfile", acl,
		"--tls-cert-file", cert.CertFile, "--tls-key-file", cert.KeyFile, "--tls-ca-cert-file", s.Authority.CAFile,
		"--tls-auth-clients", clients, "--tls-replication", "yes",
	}
	if s.Cluster {
		options = append(options, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(ports[1]), "--tls-cluster", "yes")
	}
	return append(options, s.Options...), nil
}

// dial connects as the server wants it; without security, in the open.
func (s *RedisSecurity) dial(ctx context.Context, addr string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: time.Second}
	if s == nil {
		return dialer.DialContext(ctx, "tcp", addr)
	}
	config, err := s.Authority.ClientTLS()
	if err != nil {
		return nil, err
	}
	if s.ClientCerts {
		cert, err := s.Authority.Issue("starter")
		if err != nil {
			return nil, err
		}
		pair, err := tls.LoadX509KeyPair(cert.CertFile, cert.KeyFile)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", addr)
}

// StartSentinel starts a sentinel with a configuration of its own, to which its
// port and certificate are added.
func StartSentinel(ctx context.Context, dir string, authority *Authority, acl, config string) (*Redis, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, fmt.Errorf("redis-server is not installed: %w", ErrNotSetUp)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	s := &RedisSecurity{Authority: authority, ACL: acl}
	options, err := s.options(dir, ports)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "sentinel.conf")
	var lines strings.Builder
	lines.WriteString(config + "\ndir " + dir + "\nbind 127.0.0.1\n")
	for i := 0; i < len(options); i += 2 {
		lines.WriteString(options[i][len("--"):] + " " + options[i+1] + "\n")
	}
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		return nil, err
	}
	r := &Redis{Addr: fmt.Sprintf("127.0.0.1:%d", ports[0]), Dir: dir, security: s}
	r.process = &process{name: "sentinel", dir: dir, ready: r.ready, argv: []string{"redis-server", file, "--sentinel"}}
	if err := r.process.start(ctx); err != nil {
		return nil, err
	}
	return r, nil
}
