package deploytest_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/toplu/toplu/internal/config"
)

const deployments = "../../deployments"

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployments, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	documented = regexp.MustCompile("(?m)^\\| `(toplu_[a-z_]+)` \\| (.*?) \\|")
	mentioned  = regexp.MustCompile(`(toplu_[a-z_]+)(?:\{([^}]*)\})?`)
	label      = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
)

// TestMetricsExist finds names and labels that nothing tells: an alert on such a
// one is silent for ever.
func TestMetricsExist(t *testing.T) {
	t.Parallel()
	labels := map[string][]string{}
	for _, m := range documented.FindAllStringSubmatch(read(t, "../docs/metrics.md"), -1) {
		labels[m[1]] = append(strings.Split(strings.Trim(strings.ReplaceAll(m[2], "`", ""), " "), ", "), "job", "instance", "namespace")
	}
	if len(labels) < 20 {
		t.Fatalf("docs/metrics.md has %d metrics", len(labels))
	}
	for _, file := range []string{"helm/toplu/files/alerts.yaml", "helm/toplu/files/dashboard.json", "helm/toplu/templates/scaledobject.yaml", "prometheus/alerts_test.yaml"} {
		found := 0
		for _, m := range mentioned.FindAllStringSubmatch(strings.ReplaceAll(read(t, file), `\"`, `"`), -1) {
			name := strings.TrimSuffix(m[1], "_bucket")
			has, ok := labels[name]
			if !ok {
				t.Errorf("%s: there is no metric %s", file, m[1])
				continue
			}
			found++
			for _, l := range label.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(has, l[1]) {
					t.Errorf("%s: %s has no label %s", file, name, l[1])
				}
			}
		}
		if found == 0 {
			t.Errorf("%s asks for no metric", file)
		}
	}
}

// incidents are the parts of docs/runbook.md.
var incidents = []string{
	"answers-lost", "bad-deploy", "balance-empty", "dlq-fills", "iyzico-down", "kafka-restored", "keys-missing", "lag-grows",
	"ledger-lost-a-day", "merchant-missing", "offsets-set-back", "poison-event", "redis-wiped", "stuck-batch", "was-x-paid", "wrong-keys",
}

type alerts struct {
	Groups []struct {
		Rules []struct {
			Alert       string
			Labels      struct{ Severity string }
			Annotations map[string]string
		}
	}
}

// TestAlertsLeadToTheRunbook: each alert opens a part of the runbook, each part
// has an alert, and promtool's tests make each alert fire.
func TestAlertsLeadToTheRunbook(t *testing.T) {
	t.Parallel()
	var a alerts
	if err := yaml.Unmarshal([]byte(read(t, "helm/toplu/files/alerts.yaml")), &a); err != nil {
		t.Fatal(err)
	}
	tests := read(t, "prometheus/alerts_test.yaml")
	var opened []string
	for _, g := range a.Groups {
		for _, r := range g.Rules {
			_, anchor, ok := strings.Cut(r.Annotations["runbook_url"], "/docs/runbook.md#")
			if !ok || r.Annotations["summary"] == "" || r.Annotations["description"] == "" || !slices.Contains([]string{"critical", "warning"}, r.Labels.Severity) {
				t.Errorf("%s: %+v", r.Alert, r)
			}
			opened = append(opened, anchor)
			if !regexp.MustCompile(`alertname: ` + r.Alert + `\n\s+exp_alerts:\n`).MatchString(tests) {
				t.Errorf("no test has %s fire", r.Alert)
			}
		}
	}
	slices.Sort(opened)
	if diff := cmp.Diff(incidents, slices.Compact(opened)); diff != "" {
		t.Errorf("parts of the runbook (-all +opened by alerts):\n%s", diff)
	}
	runbook, err := os.ReadFile("../../docs/runbook.md")
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("there is no docs/runbook.md yet")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, anchor := range incidents {
		heading := "(?mi)^#+ .*" + strings.ReplaceAll(anchor, "-", "[^a-z\n]+")
		if !strings.Contains(string(runbook), `id="`+anchor+`"`) && !regexp.MustCompile(heading).Match(runbook) {
			t.Errorf("docs/runbook.md has no part %s", anchor)
		}
	}
}

// TestCompose loads the configuration of the containers, and finds files that
// compose.yaml mounts and nobody has written.
func TestCompose(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	c, err := config.Load(filepath.Join(deployments, "compose/toplu.yaml"), none)
	if err != nil {
		t.Fatal(err)
	}
	if c.Iyzico.BaseURL.Hostname() != "127.0.0.1" {
		t.Errorf("it pays at %s", c.Iyzico.BaseURL)
	}
	var compose struct {
		Services map[string]struct {
			Image   string
			Volumes []string
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	for name, s := range compose.Services {
		if _, tag, ok := strings.Cut(s.Image, ":"); !ok || tag == "latest" {
			t.Errorf("%s: image %s is not of one version", name, s.Image)
		}
		for _, v := range s.Volumes {
			if path, _, _ := strings.Cut(v, ":"); strings.HasPrefix(path, ".") {
				read(t, path)
			}
		}
	}
}
