//go:build integration && slow

package foreign_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowLedgers has the conformance kit try the reference ledgers of docs, on
// real Kafka: the four right ones pass, and the naive one is taught.
func TestSlowLedgers(t *testing.T) {
	brokers := startKafka(t, realparts.Kafka42)
	type verdict struct {
		OK      bool
		Payouts int
		Wrong   int
		Stories []struct {
			Story, Example, Lesson string
			Payouts, Wrong         int
		}
	}
	try := func(t *testing.T, env []string, command ...string) verdict {
		t.Helper()
		env = append(env, "TOPLU_KAFKA_BROKERS="+brokers, "LEDGER_FILE="+filepath.Join(t.TempDir(), "ledger"))
		books := strings.Join(append(slices.Clone(command), "books"), " ")
		out, problems, err := try(t, env, nil, append([]string{program("toplu"), "conformance", "--json", "--books", books, "--"}, command...)...)
		var v verdict
		if json.Unmarshal([]byte(out), &v) != nil {
			t.Fatalf("no verdict: %v\n%s%s", err, out, problems)
		}
		if (err == nil) != v.OK {
			t.Errorf("ok %v, but %v", v.OK, err)
		}
		for _, s := range v.Stories {
			t.Logf("%-22s %4d payouts, %4d wrong  %s", s.Story, s.Payouts, s.Wrong, s.Lesson)
		}
		return v
	}
	page := readPage(t, docs(t, "ledger.md"))
	for name, of := range map[string]func(t *testing.T) (env, command []string){
		"Go and PostgreSQL": func(t *testing.T) (env, command []string) {
			return []string{"DATABASE_URL=" + startPostgres(t)}, []string{program("ledger")}
		},
		"Node, kafkajs": func(t *testing.T) (env, command []string) {
			return []string{nodeEnv(t)}, []string{"node", docs(t, "ledgers/node/ledger.js")}
		},
		"Python, confluent-kafka": func(t *testing.T) (env, command []string) {
			return []string{pythonEnv(t)}, []string{"python3", docs(t, "ledgers/python/ledger.py")}
		},
		"Java, kafka-clients": func(t *testing.T) (env, command []string) {
			return nil, java(t, docs(t, "ledgers/java/Ledger.java"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			env, command := of(t)
			folder, _, _ := strings.Cut(strings.ToLower(name), ",")
			folder, _, _ = strings.Cut(folder, " ")
			v := try(t, env, command...)
			if of := fmt.Sprintf("| wrong of %d,%03d payouts |", v.Payouts/1000, v.Payouts%1000); !strings.Contains(page, of) {
				t.Errorf("docs/ledger.md does not say %q", of)
			}
			if row := regexp.MustCompile(`(?m)^\| \[` + "`ledgers/" + folder + `[/.\w]*` + "`" + `\].*\| (.*) \|$`).FindStringSubmatch(page); row == nil || row[1] != strconv.Itoa(v.Wrong) {
				t.Errorf("docs/ledger.md says %q, and %d are wrong", row, v.Wrong)
			}
			if !v.OK {
				for _, s := range v.Stories {
					if s.Wrong > 0 {
						t.Errorf("%s: %d of %d: %s", s.Story, s.Wrong, s.Payouts, s.Example)
					}
				}
			}
		})
	}
	t.Run("naive", func(t *testing.T) {
		v := try(t, []string{pythonEnv(t)}, "python3", docs(t, "ledgers/python/naive.py"))
		if v.OK {
			t.Fatal("it passes")
		}
		for _, s := range v.Stories {
			caught := slices.Contains([]string{"twice", "interrupted", "handed over", "crossed", "re-emitted", "gap", "exact", "unknown", "another type", "later version", "refused and corrected"}, s.Story)
			if caught && (s.Wrong == 0 || s.Example == "" || s.Lesson == "") {
				t.Errorf("%s: %d wrong, example %q, lesson %q", s.Story, s.Wrong, s.Example, s.Lesson)
			}
		}
	})
}
