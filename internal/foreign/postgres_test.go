//go:build integration && slow

package foreign_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// startPostgres starts a PostgreSQL of the test's own and returns its URL.
func startPostgres(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "toplu-postgres-") //nolint:usetesting // another user must be able to enter it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	who := postgresUser(t, dir)
	data := filepath.Join(dir, "data")
	initdb := exec.Command(postgresProgram(t, "initdb"), "-D", data, "-U", "toplu", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale", "C")
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	server := exec.Command(postgresProgram(t, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
	server.SysProcAttr, server.Dir = who, dir
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT) // a fast shutdown: it does not wait for its clients
		_ = server.Wait()
	})
	url := fmt.Sprintf("postgres://toplu@127.0.0.1:%d/postgres", port)
	eventually(t, time.Minute, func() string {
		out, err := exec.Command("psql", url, "-Atc", "SELECT 1").CombinedOutput()
		if err != nil {
			return fmt.Sprintf("PostgreSQL: %v %s", err, out)
		}
		return ""
	})
	return url
}

// postgresProgram finds a program of the server, which Debian keeps off the path.
func postgresProgram(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		t.Fatalf("%s: %v", name, realparts.ErrNotSetUp)
	}
	return found[len(found)-1]
}

// postgresUser gives a directory to the user that the server must run as: it
// refuses to run as root.
func postgresUser(t *testing.T, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatalf("%v: %v", err, realparts.ErrNotSetUp)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// query runs SQL and returns its rows as lines, columns divided by |.
func query(t *testing.T, url, sql string) []string {
	t.Helper()
	out := strings.TrimSpace(run(t, nil, "psql", url, "-v", "ON_ERROR_STOP=1", "-Atc", sql))
	if out == "" {
		return nil
	}
	return strings.Split(out, "\n")
}
