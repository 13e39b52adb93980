package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The program under test is a shell's: the kit itself is tried with real ledgers
// in internal/conformance and internal/foreign.
func TestConformanceSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	env := fakeKafka(t)
	run(t, env, "", "conformance", "--", "true").want(t, 2, "", "--books")
	run(t, env, "", "conformance", "--books", "true", "--payouts", "3", "--", "true").want(t, 2, "", "--payouts: allowed")
	run(t, env, "", "conformance", "--books", "true", "--", "sh", "-c", "echo no room left; exit 3").want(t, 1, "", "no room left")
	run(t, env, "", "conformance", "--books", "true", "--wait", "300ms", "--", "sleep", "60").want(t, 1, "", "did not get to the end")
	run(t, env, "", "conformance", "--books", "echo nonsense", "--", "sleep", "60").want(t, 1, "", "books: line 1 is not")
}

// Without a configuration a Kafka is simulated, and the ledger is told where.
func TestConformanceNeedsNoKafka(t *testing.T) {
	t.Parallel()
	said := filepath.Join(t.TempDir(), "said")
	script := `echo "$KAFKA_BROKERS $KAFKA_TOPIC $KAFKA_GROUP" > "` + said + `"; sleep 60`
	run(t, nil, "", "conformance", "--books", "true", "--wait", "500ms", "--", "sh", "-c", script).want(t, 1, "", "did not get to the end")
	got, err := os.ReadFile(said)
	words := strings.Fields(string(got))
	if err != nil || len(words) != 3 || !strings.HasPrefix(words[0], "127.0.0.1:") || !strings.HasPrefix(words[1], "conformance-") || words[1] != words[2] {
		t.Errorf("it was told %q, %v", got, err)
	}
}
