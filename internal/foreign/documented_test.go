package foreign_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/toplu/toplu/internal/conformance"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/schema/schematest"
)

// What tries the commands in the documents, by how their lines begin, or why
// nothing does. A command that begins otherwise fails the test.
var commands = map[string]string{
	"toplu ":                               "TestSlowReadme runs those of the READMEs in their order; TestSlowDocumentedCommands asks every one for its help",
	"go run ./cmd/toplu demo":              "TestSlowReadme",
	"make test":                            "whoever runs these tests",
	"acl":                                  "TestSlowSecure… gives these permissions to Kafka, and pays under them",
	"cd docs":                              "TestSlowLedgers runs these ledgers, with what internal/foreign/setup.sh has installed",
	"docker compose ":                      "nothing, as there is no Docker engine: deploytest reads the file and compares its names",
	"TOPLU_KAFKA_BROKERS=127.0.0.1:9092 ":  "TestSlowReadme runs send",
	"go test -tags integration -run '^$' ": "nothing: what a benchmark measures is no test",
	"kubectl ":                             "nothing, as there is no Kubernetes",
	"helm ":                                "nothing, as there is no Kubernetes: deploytest renders the chart",
}

// The same of blocks that are no commands, by how they begin.
var others = map[string]string{
	"# toplu.yaml":     "TestSlowReadme runs the service with it",
	"payoutId;":        "TestSlowReadme sends it",
	"kafka: {brokers":  "the same, in docs/configuration.md",
	"# my-values.yaml": "deploytest renders the chart with values of its own",
	"merchants:":       "TestMerchantsOfSecurityPage in internal/config loads it",
	"user default off": "TestSlowSecureRedis and TestSlowSecureSentinel",
	"marketplace ──▶":  "a picture",
	"accepted ──▶":     "a picture",
	"cmd/toplu  ":      "a list",
	"trace ":           "an answer",
}

// Every block of code in the documents is tried by some test, or there is a
// reason why not. JSON is held against the schemas at once.
func TestEveryDocumentedBlockIsTried(t *testing.T) {
	t.Parallel()
	validate, used := schematest.Validator(t), map[string]bool{}
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			first, _, _ := strings.Cut(b.text, "\n")
			other := among(others, first)
			switch {
			case b.language == "json" && strings.Contains(b.text, `"recipient"`):
				if err := validate(schema.TypeRequested, []byte(b.text)); err != nil {
					t.Errorf("%s: %v:\n%s", page, err, b.text)
				}
				continue
			case b.language == "json":
				if _, err := conformance.ReadBooks(strings.NewReader(b.text)); err != nil {
					t.Errorf("%s: %v", page, err)
				}
				continue
			case other != "":
				used[other] = true
				continue
			}
			for line := range strings.Lines(b.text) {
				by := among(commands, strings.TrimSpace(line))
				used[by] = true
				if by == "" && strings.TrimSpace(line) != "" {
					t.Errorf("%s: no test tries this, and no reason is given: %s", page, line)
				}
			}
		}
	}
	for _, all := range []map[string]string{commands, others} {
		for beginning := range all {
			if !used[beginning] {
				t.Errorf("nothing in the documents begins with %q", beginning)
			}
		}
	}
}

func among(all map[string]string, line string) string {
	for beginning := range all {
		if strings.HasPrefix(line, beginning) {
			return beginning
		}
	}
	return ""
}

// pages are all documents.
func pages(t *testing.T) (all []string) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != "..") && path != "../.." || d != nil && d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			all = append(all, path)
		}
		return err
	})
	if err != nil || len(all) < 12 {
		t.Fatalf("%v, %v", all, err)
	}
	return all
}

// A block of code stands between fences, or is indented.
type block struct{ language, text string }

var fence = regexp.MustCompile("^ *```([a-z-]*)")

func blocks(t *testing.T, page string) (all []block) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	inside, indented := false, false
	for line := range strings.Lines(string(text)) {
		switch m := fence.FindStringSubmatch(line); {
		case m != nil:
			if inside = !inside; inside {
				all = append(all, block{language: m[1]})
			}
			indented = false
		case inside:
			all[len(all)-1].text += line
		case strings.HasPrefix(line, "    "):
			if !indented {
				all = append(all, block{})
			}
			indented = true
			all[len(all)-1].text += strings.TrimPrefix(line, "    ")
		case strings.TrimSpace(line) != "":
			indented = false
		}
	}
	return all
}
