//go:build integration && linux

package realparts_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestNothingOutlivesItsStarter kills a process that has started a server, as
// happens to tests that panic or run out of time, and sees the server go.
func TestNothingOutlivesItsStarter(t *testing.T) {
	if os.Getenv("TOPLU_TEST_STARTER") != "" {
		r, err := realparts.StartRedis(t.Context(), os.Getenv("TOPLU_TEST_STARTER"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("started %s\n", r.Addr)
		select {}
	}
	t.Parallel()
	starter := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	starter.Env = append(os.Environ(), "TOPLU_TEST_STARTER="+t.TempDir())
	out, err := starter.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	addr := ""
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		addr, _ = strings.CutPrefix(lines.Text(), "started ")
		if _, _, err := net.SplitHostPort(addr); err != nil {
			t.Log(lines.Text())
			addr = ""
		}
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = starter.Wait()
	// The kernel closes what the server had open when the server is gone.
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("the server still runs: %v", err)
	}
}
