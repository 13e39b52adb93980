//go:build integration && slow

package foreign_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/realparts"
)

// TestSlowReadme does what the README says, in English and in Turkish: the
// configuration that it shows, with addresses of the test's, and its commands in
// their order.
func TestSlowReadme(t *testing.T) {
	for _, page := range []string{"../../README.md", "../../docs/README.tr.md"} {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text := readPage(t, page)
			brokers, simulator := startKafka(t, realparts.Kafka42), startSimulator(t)
			redis, err := realparts.StartRedis(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = redis.Kill() })
			t.Chdir(t.TempDir())
			_, config, ok := strings.Cut(text, "```yaml\n# toplu.yaml\n")
			config, _, ended := strings.Cut(config, "```")
			if !ok || !ended {
				t.Fatal("no toplu.yaml is shown")
			}
			_, payouts, ok := strings.Cut(text, "```csv\n")
			payouts, _, ended = strings.Cut(payouts, "```")
			if !ok || !ended {
				t.Fatal("no payouts.csv is shown")
			}
			for shown, ours := range map[string]string{
				"[127.0.0.1:9092]": `["` + brokers + `"]`, "[127.0.0.1:6379]": `["` + redis.Addr + `"]`, "https://sandbox-api.iyzipay.com": simulator,
			} {
				if !strings.Contains(config, shown) {
					t.Fatalf("%s is not in the configuration", shown)
				}
				config = strings.Replace(config, shown, ours, 1)
			}
			for name, content := range map[string]string{
				"toplu.yaml": config + "admin: {listen: '127.0.0.1:0'}\n", "secrets/api-key": "sandbox-key\n", "secrets/secret-key": "sandbox-secret\n",
				"payouts.csv": payouts,
			} {
				if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			commands := regexp.MustCompile(`(?m)^    toplu (.+)$`).FindAllStringSubmatch(text, -1)
			if len(commands) < 5 {
				t.Fatalf("%d commands", len(commands))
			}
			env := []string{"TOPLU_KAFKA_MININSYNCREPLICAS=1"}
			for _, c := range commands {
				command := append([]string{program("toplu")}, strings.Fields(c[1])...)
				switch command[1] {
				case "run":
					start(t, env, command...)
				case "explain":
					eventually(t, time.Minute, func() string {
						// Until a worker has taken the shard there is nothing to tell, which is
						// an error.
						if out, problems, _ := try(t, env, nil, command...); !strings.Contains(out, " paid ") {
							return "it is not paid:\n" + out + problems
						}
						return ""
					})
				default:
					run(t, env, command...)
				}
			}
			if paid := transfers(t, simulator); paid["order-1042-seller-77"] != 1 || len(paid) != 1 {
				t.Errorf("paid: %v", paid)
			}
			// The same file again pays nothing again: what is sent behind it is paid.
			again, err := os.ReadFile("payouts.csv")
			if err != nil {
				t.Fatal(err)
			}
			run(t, env, program("toplu"), "send", "payouts.csv", "--config", "toplu.yaml")
			if err := os.WriteFile("more.csv", bytes.ReplaceAll(again, []byte("1042"), []byte("1043")), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, env, program("toplu"), "send", "more.csv", "--config", "toplu.yaml")
			eventually(t, time.Minute, func() string {
				if paid := transfers(t, simulator); paid["order-1043-seller-77"] != 1 {
					return fmt.Sprintf("paid: %v", paid)
				}
				return ""
			})
			if paid := transfers(t, simulator); paid["order-1042-seller-77"] != 1 || len(paid) != 2 {
				t.Errorf("paid: %v", paid)
			}
		})
	}
	run(t, nil, program("toplu"), "demo", "--payouts", "100")
}

// TestSlowDocumentedCommands asks every command in the documents for its help,
// which fails if the command or a flag is not there.
func TestSlowDocumentedCommands(t *testing.T) {
	n := 0
	for _, page := range pages(t) {
		for _, c := range regexp.MustCompile("(?m)(?:^    |`)toplu ([a-z][^`\n]*)").FindAllStringSubmatch(readPage(t, page), -1) {
			args := words(c[1])
			if i := strings.IndexByte(c[1], '#'); len(args) == 0 || i >= 0 {
				continue
			}
			n++
			command := append([]string{program("toplu")}, args...)
			for i, arg := range command {
				if arg == "--" { // what follows is another program's
					command = command[:i+1]
					break
				}
			}
			if i := slices.Index(command, ">"); i > 0 {
				command = command[:i] // the rest is the shell's
			}
			if last := len(command) - 1; command[last] == "--" {
				command = command[:last]
			}
			if out, problems, err := try(t, nil, nil, append(command, "--help")...); err != nil {
				t.Errorf("%s: toplu %s: %v\n%s%s", page, c[1], err, out, problems)
			}
		}
	}
	if n < 25 {
		t.Errorf("%d commands found", n)
	}
}

// words splits a command as a shell does, as far as documents go.
func words(line string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`'([^']*)'|"([^"]*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
		out = append(out, m[1]+m[2]+m[3])
	}
	return out
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
