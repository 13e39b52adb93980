package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/toplu/toplu/internal/config"
)

// Whatever is in the file, reading it ends with a configuration or with an error
// that does not show the secret in it.
func FuzzLoad(f *testing.F) {
	const secret = "sandbox-do-not-show-me"
	f.Add([]byte("kafka: {brokers: [127.0.0.1:9092]}\nmerchants: {default: {apiKey: k, secretKey: " + secret + "}}\n"))
	f.Add([]byte("merchants: {default: {secretKey: [" + secret + "]}}\nbatch: {maxAmount: \"1e9\", maxWait: -1s}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("\x00: \xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "toplu.yaml")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path, func(string) string { return "" })
		if err == nil && c == nil {
			t.Fatal("neither a configuration nor an error")
		}
		if err != nil && strings.Contains(err.Error(), secret) && strings.Contains(string(data), "secretKey: "+secret) {
			t.Errorf("the error shows a secret: %v", err)
		}
	})
}
