package iyzico_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico"
)

func TestNewReportsAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, err := iyzico.New(iyzico.Config{
		BaseURL: "http://api.iyzipay.com", APIKey: "a&b\n", Locale: "de",
		MaxBody: -1, MaxConns: -1, Timeout: -1, SeenBeforeCodes: []string{"", "1000"},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"BaseURL is not https", `APIKey holds an "&"`, "APIKey holds white space", "SecretKey is missing", "Locale",
		"MaxBody", "MaxConns", "Timeout", "empty code", "SeenBeforeCodes holds 1000",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %q in: %v", want, err)
		}
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 10 {
		t.Errorf("%d mistakes, want 10: %v", got, err)
	}
}

func TestNewChecksTheBaseURL(t *testing.T) {
	t.Parallel()
	for url, good := range map[string]bool{
		iyzico.Production:                     true,
		iyzico.Sandbox + "/":                  true,
		"https://example.com:8443":            true,
		"http://127.0.0.1:8080":               true,
		"http://127.1.2.3":                    true,
		"http://[::1]:8080":                   true,
		"http://localhost:1":                  true,
		"":                                    false,
		"api.iyzipay.com":                     false,
		"http://api.iyzipay.com":              false,
		"http://127.0.0.1.example.com":        false,
		"http://localhost.example.com":        false,
		"ftp://127.0.0.1":                     false,
		"https://api.iyzipay.com/v1":          false,
		"https://api.iyzipay.com?x=y":         false,
		"https://user:hunter2@api.iyzipay.co": false,
		"https://user:hunter2@[":              false,
	} {
		_, err := iyzico.New(iyzico.Config{BaseURL: url, APIKey: "k", SecretKey: "s"})
		if (err == nil) != good {
			t.Errorf("BaseURL %q: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}

func TestDefaultTransportHasLanes(t *testing.T) {
	t.Parallel()
	transport := newClient(t, iyzico.Sandbox, func(c *iyzico.Config) { c.MaxConns = 7 }).Transport()
	if transport.MaxConnsPerHost != 7 || transport.MaxIdleConnsPerHost != 7 || transport.MaxIdleConns != 7 {
		t.Errorf("%d connections, %d and %d idle, want 7 of each",
			transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost, transport.MaxIdleConns)
	}
	if transport.Protocols.HTTP2() || !transport.Protocols.HTTP1() {
		t.Errorf("speaks %s, want HTTP/1 alone", transport.Protocols)
	}
}

// The caller's client is not changed behind its back.
func TestNewCopiesTheHTTPClient(t *testing.T) {
	t.Parallel()
	mine := &http.Client{Timeout: time.Minute}
	newClient(t, iyzico.Sandbox, func(c *iyzico.Config) { c.HTTPClient = mine })
	if mine.CheckRedirect != nil || mine.Transport != nil {
		t.Error("New changed the client it was given")
	}
}
