package realparts

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Redis is one server with an append-only file that is synced every second, and
// that evicts nothing. Its methods are for one goroutine at a time.
type Redis struct {
	Addr string // host:port, the same after a restart
	Dir  string // its data, to be looked at or exchanged while it is stopped

	security *RedisSecurity
	process  *process
}

// StartRedis starts a server with its data and log in dir, which must be empty,
// and waits until it serves: some milliseconds. Options are the server's, such as
// "--cluster-enabled", "yes".
func StartRedis(ctx context.Context, dir string, options ...string) (*Redis, error) {
	return startRedisAnywhere(ctx, dir, nil, options...)
}

func startRedisAnywhere(ctx context.Context, dir string, security *RedisSecurity, options ...string) (*Redis, error) {
	home, err := home()
	if err != nil {
		return nil, err
	}
	// A port that was free may be taken before the server has it.
	for attempt := 1; ; attempt++ {
		r, err := startRedis(ctx, home, filepath.Join(dir, fmt.Sprintf("redis-%d", attempt)), security, options)
		if err == nil || attempt == 3 || errors.Is(err, ErrNotSetUp) || ctx.Err() != nil {
			return r, err
		}
	}
}

func startRedis(ctx context.Context, home, dir string, security *RedisSecurity, more []string) (*Redis, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	r := &Redis{Addr: fmt.Sprintf("127.0.0.1:%d", ports[0]), Dir: dir, security: security}
	r.process = &process{name: "redis", dir: dir, ready: r.ready}
	options := []string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(ports[0]), "--dir", dir, "--save", "",
		"--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
	}
	options = append(options, more...)
	if security != nil {
		secured, err := security.options(dir, ports)
		if err != nil {
			return nil, err
		}
		options = append(options, secured...)
	}
	if useDocker(home) {
		redisInDocker(r.process, options)
	} else {
		if _, err := exec.LookPath("redis-server"); err != nil {
			return nil, fmt.Errorf("redis-server is not installed: %w", ErrNotSetUp)
		}
		r.process.argv = append([]string{"redis-server"}, options...)
	}
	if err := r.process.start(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// ready returns nil once the server answers and has loaded its data.
func (r *Redis) ready(ctx context.Context) error {
	conn, err := r.security.dial(ctx, r.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	answer = strings.TrimSpace(answer)
	if answer == "+PONG" || r.security != nil && strings.HasPrefix(answer, "-NOAUTH") {
		return nil
	}
	return fmt.Errorf("it says %s", answer)
}

// Stop ends the server as an operator does, so that it writes out everything.
// Stopping twice is fine.
func (r *Redis) Stop() error { return r.process.end("TERM") }

// Kill ends the server at once.
func (r *Redis) Kill() error { return r.process.end("KILL") }

// Pause freezes the server: connections stay, and nobody answers.
func (r *Redis) Pause() error { return r.process.signal("STOP") }

// Resume lets a frozen server go on.
func (r *Redis) Resume() error { return r.process.signal("CONT") }

// Restart stops the server if it runs, and starts it again with what is in Dir,
// at its address.
func (r *Redis) Restart(ctx context.Context) error {
	if err := r.Stop(); err != nil {
		return err
	}
	return r.process.start(ctx)
}
