package app

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Every command that there is says what it does, with an example of its own, and
// prints JSON where it prints.
func TestHelpOfEveryCommand(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{}, kong.Name("toplu"))
	if err != nil {
		t.Fatal(err)
	}
	help := func(args ...string) string {
		var out, errs bytes.Buffer
		if code := Run(t.Context(), args, func(string) string { return "" }, strings.NewReader(""), &out, &errs); code != 0 || errs.Len() > 0 {
			t.Fatalf("%q ends with %d: %s", args, code, errs.String())
		}
		return out.String()
	}
	root := help("--help")
	if !strings.HasPrefix(root, "Usage: toplu <command>") || help() != root {
		t.Errorf("without arguments the help must be shown: %s", root)
	}
	silent := map[string]bool{"run": true} // its log is JSON
	leaves := parser.Model.Leaves(true)
	if len(leaves) < 30 {
		t.Errorf("only %d commands are found", len(leaves))
	}
	for _, leaf := range leaves {
		var path []string
		for n := leaf; n.Parent != nil; n = n.Parent {
			path = append([]string{n.Name}, path...)
		}
		command := strings.Join(path, " ")
		if !strings.Contains(root, "\n  "+command) {
			t.Errorf("%s is not in the list of commands", command)
		}
		text := help(append(path, "--help")...)
		_, example, _ := strings.Cut(text, "Example:\n\n")
		if !strings.Contains(example, "toplu "+command) {
			t.Errorf("%s: no example of its own:\n%s", command, text)
		}
		if !strings.Contains(text, "--json") && !silent[command] {
			t.Errorf("%s: no --json:\n%s", command, text)
		}
	}
}
