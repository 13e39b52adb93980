package iyzicotest_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// The vectors agree with iyzico's own SDKs for Node, Python and Java.
func TestSigningVectors(t *testing.T) {
	t.Parallel()
	var vectors []struct {
		Name          string `json:"name"`
		Method        string `json:"method"`
		URIPath       string `json:"uriPath"`
		Body          string `json:"body"`
		APIKey        string `json:"apiKey"`
		SecretKey     string `json:"secretKey"`
		Authorization string `json:"authorization"`
	}
	data, err := os.ReadFile("testdata/signing-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 7 {
		t.Fatalf("got %d vectors, want 7", len(vectors))
	}
	for _, v := range vectors {
		server, err := iyzicotest.NewServer(iyzicotest.Config{Merchants: map[string]string{v.APIKey: v.SecretKey}})
		if err != nil {
			t.Fatal(err)
		}
		status := func(path, body, authorization string) int {
			r := httptest.NewRequestWithContext(t.Context(), v.Method, path, strings.NewReader(body))
			r.Header.Set("Authorization", authorization)
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			return w.Code
		}
		const refused = http.StatusUnauthorized
		if status(v.URIPath, v.Body, v.Authorization) == refused {
			t.Errorf("%s: refused", v.Name)
		}
		if status(v.URIPath+"?locale=tr", v.Body, v.Authorization) == refused {
			t.Errorf("%s: refused with a query, which is not signed", v.Name)
		}
		if status(v.URIPath, v.Body+" ", v.Authorization) != refused {
			t.Errorf("%s: accepted with another body", v.Name)
		}
		if changed := changeLast(t, v.Authorization); status(v.URIPath, v.Body, changed) != refused {
			t.Errorf("%s: accepted with another signature", v.Name)
		}
	}
}

// The signature of the first vector made over the path with its query.
func TestSignatureOverQueryIsRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{})
	const path, query = "/v1/mass/payout/balance", "?locale=tr"
	equal(t, "path alone", c.do("GET", path, query, nil, sign(key, secret, path, nil)).http, 200)
	equal(t, "path and query", c.do("GET", path, query, nil, sign(key, secret, path+query, nil)).http, 401)
}

func TestUnsignedCalls(t *testing.T) {
	t.Parallel()
	const path = "/v1/mass/payout/balance"
	encode := func(text string) string { return "IYZWSv2 " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for authorization, want := range map[string]string{
		sign(key, secret, path, nil):         "",
		sign(key, "wrong", path, nil):        "1000",
		sign("nobody", secret, path, nil):    "1001",
		"":                                   "1000",
		"Bearer token":                       "1000",
		"IYZWSv2 !":                          "1000",
		encode("apiKey:" + key):              "1000",
		encode("a:1&b:2&c:3"):                "1000",
		encode("apiKey:" + key + "&&"):       "1000",
		sign(key, secret, path, []byte("x")): "1000",
	} {
		for setting, status := range map[int]int{0: 401, 401: 401, 200: 200} {
			c := newClient(t, iyzicotest.Settings{HTTPSignature: setting})
			a := c.do("GET", path, "?locale=en", nil, authorization)
			equal(t, authorization, a.json.ErrorCode, want)
			if want != "" {
				equal(t, authorization+": HTTP", a.http, status)
				equal(t, authorization+": counted", c.books().Calls["balance"], 0)
			}
		}
	}
}

func TestMessagesAreTranslated(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{})
	for query, want := range map[string]string{
		"?locale=en": "Invalid signature",
		"?locale=tr": "Geçersiz imza",
		"?locale=TR": "Geçersiz imza",
		"":           "Geçersiz imza",
	} {
		equal(t, query, c.do("GET", "/v1/mass/payout/balance", query, nil, "").json.ErrorMessage, want)
	}
}

// changeLast changes the last digit of a signature.
func changeLast(t *testing.T, authorization string) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(authorization, "IYZWSv2 "))
	if err != nil {
		t.Fatal(err)
	}
	last := &text[len(text)-1]
	if *last == '0' {
		*last = '1'
	} else {
		*last = '0'
	}
	return "IYZWSv2 " + base64.StdEncoding.EncodeToString(text)
}
