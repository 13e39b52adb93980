//go:build mutation

package simulation_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	bound = flag.Int("bound", 4000, "seeds to try before a missing rule counts as not found")
	part  = flag.Int("part", 0, "with -parts: which of them to try, from 0")
	parts = flag.Int("parts", 1, "into how many parts the rules are divided")
	all   = flag.Bool("all", true, "try all seeds where the worlds of a rule's theme have found nothing")
	only  = flag.String("only", "", "try only the rules whose name matches this regular expression")
)

// An edit replaces a text that stands in a file exactly once, or everywhere.
type edit struct {
	file, old, new string
	everywhere     bool
}

// A mutation takes one rule out of the protocol.
type mutation struct {
	rule    string
	removed string
	seed    int    // one that has found it, tried first; any change to the simulation may make it another
	theme   *theme // whose worlds are tried next; nil: none
	edits   []edit
}

var mutations = slices.Concat(attemptRules, logRules)

var found = regexp.MustCompile(`seed (\d+): ([^\n]*)`)

// TestMutations takes every rule out of a copy of the module, one at a time, and
// runs the simulation until it finds out, for at most -bound seeds. It prints the
// table, and fails if one is not found or the sound code has a violation at its
// seed, too.
//
//	go test -tags mutation ./internal/simulation -run TestMutations -timeout 2h -v
func TestMutations(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	for _, part := range []string{"go.mod", "go.sum", "iyzico", "schema", "worker", "consumer", "internal/spans", "internal/simulation"} {
		copyTree(t, filepath.Join(root, part), filepath.Join(work, part))
	}
	sound := build(t, work)
	var table strings.Builder
	tried, caught := 0, 0
	choice := regexp.MustCompile(*only)
	for n, m := range mutations {
		if n%*parts != *part || !choice.MatchString(m.rule) {
			continue
		}
		tried++
		t.Run(m.rule, func(t *testing.T) {
			restore := m.apply(t, work)
			defer restore()
			seed, what := m.hunt(t, build(t, work))
			if seed != "" && exec.CommandContext(t.Context(), sound, "-test.run", "^TestSimulation$", "-seed", seed).Run() != nil {
				t.Fatalf("seed %s has a violation without the mutation, too: %s", seed, what)
			}
			fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", m.rule, m.removed, seed, what)
			if seed == "" {
				t.Fatalf("not found in %d seeds", *bound)
			}
			caught++
			t.Logf("seed %s: %s", seed, what)
		})
	}
	t.Logf("%d of %d were found, tried with at most %d seeds each\n| rule | what was removed | found by seed | as |\n|---|---|---|---|\n%s", caught, tried, *bound, table.String())
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// apply edits the copy, and returns what takes the edits back.
func (m *mutation) apply(t *testing.T, work string) (restore func()) {
	t.Helper()
	original := map[string][]byte{}
	restore = func() {
		for path, text := range original {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
	for _, e := range m.edits {
		path := filepath.Join(work, e.file)
		text, err := os.ReadFile(path)
		if err != nil {
			restore()
			t.Fatal(err)
		}
		if original[path] == nil {
			original[path] = text
		}
		if n := strings.Count(string(text), e.old); n == 0 || n > 1 && !e.everywhere {
			restore()
			t.Fatalf("%s has %d times the text %q: bring the mutation up to date", e.file, n, e.old)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), e.old, e.new)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return restore
}

// build builds the copy as it stands.
func build(t *testing.T, work string) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "simulation.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-c", "-o", binary, "./internal/simulation")
	build.Dir = work
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("it does not compile: %s", out)
	}
	return binary
}

// hunt runs seeds until one shows a violation: the one that has found it before,
// then the worlds of its theme, then all.
func (m *mutation) hunt(t *testing.T, binary string) (seed, what string) {
	t.Helper()
	var tries [][]string
	if *all || m.theme == nil {
		tries = [][]string{{"-seeds", strconv.Itoa(*bound)}}
	}
	if m.theme != nil {
		tries = append([][]string{{"-seeds", strconv.Itoa(*bound), "-theme", strconv.Itoa(int(*m.theme))}}, tries...)
	}
	if m.seed != 0 {
		tries = append([][]string{{"-seed", strconv.Itoa(m.seed)}}, tries...)
	}
	for _, args := range tries {
		run := exec.CommandContext(t.Context(), binary, append([]string{"-test.run", "^TestSimulation$", "-test.timeout", "30m", "-violating", "1"}, args...)...)
		out, err := run.CombinedOutput()
		if err == nil {
			continue
		}
		if m := found.FindSubmatch(out); m != nil {
			return string(m[1]), string(m[2])
		}
		return "?", "the process died: " + strings.SplitN(strings.TrimSpace(string(out)), "\n", 2)[0]
	}
	return "", "not found"
}

// TestMutationsFit applies every mutation without running it, so that one which
// no longer fits the source is known at once.
func TestMutationsFit(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	for _, part := range []string{"worker", "consumer"} {
		copyTree(t, filepath.Join(root, part), filepath.Join(work, part))
	}
	for _, m := range mutations {
		t.Run(m.rule, func(t *testing.T) { m.apply(t, work)() })
	}
}
