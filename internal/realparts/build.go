package realparts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Programs are programs that are built for a package's tests: toplu, and others.
type Programs struct{ dir string }

// A Program is one to be built: a package of a module, given by its directory
// in the repository.
type Program struct{ Name, Module, Package string }

// Path is where a program is.
func (p *Programs) Path(name string) string { return filepath.Join(p.dir, name) }

// RunWith builds toplu and what else is named, calls run, which is the Run of a
// [testing.M], and removes what was built. It is the whole of a TestMain, which
// exits with the status that it returns:
//
//	var programs realparts.Programs
//
//	func TestMain(m *testing.M) { os.Exit(programs.RunWith(m.Run)) }
func (p *Programs) RunWith(run func() int, others ...Program) int {
	failed := func(err error, out []byte) int {
		fmt.Fprintf(os.Stderr, "build the programs under test: %v\n%s", err, out)
		return 1
	}
	root, err := root()
	if err != nil {
		return failed(err, nil)
	}
	if p.dir, err = os.MkdirTemp("", "toplu-programs-"); err != nil {
		return failed(err, nil)
	}
	defer os.RemoveAll(p.dir)
	for _, of := range append(others, Program{"toplu", ".", "./cmd/toplu"}) {
		//nolint:gosec,noctx // our own arguments; the compiler ends
		build := exec.Command("go", "build", "-o", p.Path(of.Name), of.Package)
		build.Dir = filepath.Join(root, of.Module)
		if out, err := build.CombinedOutput(); err != nil {
			return failed(err, out)
		}
	}
	return run()
}
