package realparts

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// The versions of Kafka that the program is tested with.
const (
	Kafka42 = "4.2.0"
	Kafka39 = "3.9.1"
)

// ErrNotSetUp means that a part is not on this machine.
var ErrNotSetUp = errors.New("run `make setup` first: it fetches the real Kafka and Redis that this test needs")

// home is where `make setup` puts things: $TOPLU_PARTS, or .cache at the root
// of the repository.
func home() (string, error) {
	if dir := os.Getenv("TOPLU_PARTS"); dir != "" {
		return dir, nil
	}
	dir, err := root()
	return filepath.Join(dir, ".cache"), err
}

// root is the root of the repository: the nearest directory above with a go.mod.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above the working directory: %w", ErrNotSetUp)
		}
		dir = parent
	}
}

// useDocker reports whether `make setup` fell back to images.
func useDocker(home string) bool {
	_, err := os.Stat(filepath.Join(home, "docker"))
	return err == nil
}

// freePorts returns ports of the loopback interface that nobody listens on now.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	listeners := make([]net.Listener, n) // kept open, so that no port comes twice
	defer func() {
		for _, l := range listeners {
			if l != nil {
				_ = l.Close()
			}
		}
	}()
	for i := range ports {
		var err error
		//nolint:noctx // it does not wait
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
		ports[i] = listeners[i].Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
