//go:build integration && slow

package secure_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// toplu is the program under test, built once.
var toplu string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "toplu-secure-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		toplu = filepath.Join(dir, "toplu")
		build := exec.Command("go", "build", "-o", toplu, "github.com/toplu/toplu/cmd/toplu")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build toplu: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}
