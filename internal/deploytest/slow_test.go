//go:build slow

package deploytest_test

import (
	"crypto/x509"
	"debug/elf"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/toplu/toplu/internal/config"
)

// run runs a command in a directory and fails with everything it said.
func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// TestSlowDeployments has everything checked by its own tools, and what the chart
// makes by toplu.
func TestSlowDeployments(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	run(t, deployments, "./check.sh", out)
	for _, chart := range []string{"plain", "full", "bare", "certificates"} {
		text, err := os.ReadFile(filepath.Join(out, chart+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		checkChart(t, chart, string(text))
	}
	checkDashboard(t, out)
}

// An object is what the tests look at of what Kubernetes is asked for.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct{ Template struct{ Spec pod } }
}

type pod struct {
	Containers []struct {
		Args         []string
		Env          []struct{ Name, Value string }
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	}
	Volumes []struct {
		Name   string
		Secret struct {
			SecretName string `yaml:"secretName"`
			Items      []struct{ Key, Path string }
		}
	}
}

// checkChart mounts the Secrets as the pods do and loads the configuration.
func checkChart(t *testing.T, chart, text string) {
	t.Helper()
	var objects []object
	for d := yaml.NewDecoder(strings.NewReader(text)); ; {
		var o object
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
	}
	file := objects[slices.IndexFunc(objects, func(o object) bool { return o.Data["toplu.yaml"] != "" })].Data["toplu.yaml"]
	// Who each pod is to Kafka and Redis, by what it runs.
	who := map[string]string{}
	for _, o := range objects {
		if o.Kind != "Deployment" && o.Kind != "Job" {
			continue
		}
		args := strings.Join(o.Spec.Template.Spec.Containers[0].Args, " ")
		c, err := load(t, o.Spec.Template.Spec, file)
		if err != nil {
			t.Errorf("%s: the configuration of %s: %v", chart, args, err)
			continue
		}
		login := strings.Join([]string{c.Kafka.Username, c.Kafka.Password.Reveal(), c.Redis.Username, c.Redis.Password.Reveal()}, " ")
		if c.Kafka.CertFile != "" {
			login += "certificate"
		}
		if m := c.Merchants["default"]; m.APIKey.Reveal() != "" {
			login += " " + m.APIKey.Reveal() + " " + m.SecretKey.Reveal()
		}
		before, after, ok := strings.Cut(args, " --config /etc/toplu/config/toplu.yaml")
		if !ok {
			t.Errorf("%s: %s reads another configuration", chart, args)
		}
		who[before+after] = strings.TrimSpace(login)
	}
	const keys = "toplu-iyzico/api-key toplu-iyzico/secret-key"
	want := map[string]string{
		"run --roles consumer": keys, "run --roles worker": keys, "topics create --partitions 4": "",
	}
	switch chart {
	case "full":
		want = map[string]string{
			"run --roles consumer":         "toplu-consumer toplu-consumer/password toplu-reader toplu-reader/password " + keys,
			"run --roles worker":           "toplu-worker toplu-worker/password toplu-worker toplu-redis/password " + keys,
			"topics create --partitions 4": "toplu-topics toplu-topics/password",
		}
	case "bare":
		delete(want, "topics create --partitions 4")
	case "certificates":
		want["run --roles worker"] = "certificate " + keys
	}
	if diff := cmp.Diff(want, who); diff != "" {
		t.Errorf("%s: logins (-want +got):\n%s", chart, diff)
	}
}

// load loads the configuration as the pod does.
func load(t *testing.T, p pod, file string) (*config.Config, error) {
	t.Helper()
	root := t.TempDir()
	at := map[string]string{}
	for _, m := range p.Containers[0].VolumeMounts {
		at[m.Name] = filepath.Join(root, m.MountPath)
	}
	for _, v := range p.Volumes {
		for _, item := range v.Secret.Items {
			content := v.Secret.SecretName + "/" + item.Key
			switch filepath.Ext(item.Path) {
			case ".crt":
				content, _ = certificate(t)
			case ".key":
				_, content = certificate(t)
			}
			put(t, filepath.Join(at[v.Name], item.Path), content)
		}
	}
	path := filepath.Join(at["config"], "toplu.yaml")
	put(t, path, strings.ReplaceAll(file, "/etc/toplu/", root+"/etc/toplu/"))
	env := map[string]string{}
	for _, e := range p.Containers[0].Env {
		env[e.Name] = strings.Replace(e.Value, "/etc/toplu/", root+"/etc/toplu/", 1)
	}
	var sections []string
	if p.Containers[0].Args[0] == "topics" {
		sections = []string{"kafka"}
	}
	return config.Load(path, func(name string) string { return env[name] }, sections...)
}

// certificate is somebody's certificate and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	der, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, bytes []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	return block("CERTIFICATE", server.Certificate().Raw), block("PRIVATE KEY", der)
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkDashboard has promtool read the queries of the dashboard, as rules.
func checkDashboard(t *testing.T, dir string) {
	t.Helper()
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "helm/toplu/files/dashboard.json")), &d); err != nil {
		t.Fatal(err)
	}
	filled := strings.NewReplacer("$__rate_interval", "1m", "$merchant", ".*")
	var rules []map[string]string
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			rules = append(rules, map[string]string{"record": fmt.Sprintf("dashboard:%d", len(rules)), "expr": filled.Replace(target.Expr)})
		}
	}
	if len(rules) < 20 {
		t.Fatalf("the dashboard has %d queries", len(rules))
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "dashboard.yaml")
	put(t, path, string(text))
	run(t, dir, "promtool", "check", "rules", path)
}

// TestSlowDockerfile runs the Dockerfile's build in a folder with nothing but
// what the image's build gets, and finds out whether its result needs more than
// an empty image has.
func TestSlowDockerfile(t *testing.T) {
	t.Parallel()
	src := t.TempDir()
	for line := range strings.Lines(read(t, "Dockerfile.dockerignore")) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "!")
		if !ok {
			continue
		}
		run(t, "../..", "cp", "-R", name, src)
	}
	run(t, src, "find", ".", "-name", "*_test.go", "-delete")
	run(t, src, "find", ".", "-name", "testdata", "-prune", "-exec", "rm", "-r", "{}", "+")

	build := regexp.MustCompile(`(?m)^RUN (.* go build .*)$`).FindStringSubmatch(read(t, "Dockerfile"))
	if build == nil {
		t.Fatal("the Dockerfile builds nothing")
	}
	run(t, src, "sh", "-c", strings.ReplaceAll(build[1], "/out/", src+"/out/"))

	path := filepath.Join(src, "out", "toplu")
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the binary is not static")
		}
	}
	run(t, src, path, "config", "check", "--config", abs(t, "compose/toplu.yaml"))
}

func abs(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(filepath.Join(deployments, path))
	if err != nil {
		t.Fatal(err)
	}
	return full
}
