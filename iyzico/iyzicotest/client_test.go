package iyzicotest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

const secret = "secret-a"

// client is a server, and the plainest of its clients.
type client struct {
	*iyzicotest.Server
	t   *testing.T
	url string
}

func newClient(t *testing.T, s iyzicotest.Settings) *client {
	t.Helper()
	server, err := iyzicotest.NewServer(iyzicotest.Config{Merchants: map[string]string{key: secret}, Settings: s, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	return &client{server, t, h.URL}
}

func sign(apiKey, secretKey, path string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secretKey))
	mac.Write([]byte("123" + path))
	mac.Write(body)
	return "IYZWSv2 " + base64.StdEncoding.EncodeToString(
		[]byte("apiKey:"+apiKey+"&randomKey:123&signature:"+hex.EncodeToString(mac.Sum(nil))))
}

// answer is what came back over HTTP. An error means that nothing, or not all,
// came back.
type answer struct {
	http int
	body []byte
	err  error
	json struct {
		Status         string `json:"status"`
		ErrorCode      string `json:"errorCode"`
		ErrorMessage   string `json:"errorMessage"`
		RequestID      string `json:"requestId"`
		ConversationID string `json:"conversationId"`
	}
}

func (c *client) do(method, path, query string, body []byte, authorization string) answer {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+path+query, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.GetBody = nil // nothing is sent twice
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	// A connection for each call, so that a cut one is never mistaken for an
	// idle one and tried again.
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	a := answer{http: response.StatusCode}
	a.body, a.err = io.ReadAll(response.Body)
	_ = json.Unmarshal(a.body, &a.json) // not everything is JSON
	return a
}

// call makes a signed call.
func (c *client) call(method, path string, body any) answer {
	c.t.Helper()
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			c.t.Fatal(err)
		}
	}
	path = "/v1/mass/payout/" + path
	return c.do(method, path, "?locale=en", data, sign(key, secret, path, data))
}

// initBody is a request with an item of 100.50 for each id.
func initBody(externalID string, ids ...string) map[string]any {
	var items []any
	for _, id := range ids {
		items = append(items, map[string]any{
			"itemExternalId": id, "recipientType": "PHONE", "recipientInfo": "+905555555555",
			"amount": map[string]any{"value": json.Number("100.50"), "currency": "TRY"},
		})
	}
	return map[string]any{"externalId": externalID, "conversationId": "conversation", "items": items}
}

func (c *client) init(externalID string, ids ...string) string {
	c.t.Helper()
	a := c.call("POST", "init", initBody(externalID, ids...))
	if a.json.Status != "success" {
		c.t.Fatalf("init: %d %s %v", a.http, a.body, a.err)
	}
	return a.json.RequestID
}

func (c *client) auth(requestID string) answer {
	c.t.Helper()
	return c.call("POST", "auth", map[string]string{"requestId": requestID})
}

func (c *client) faults(dials string) {
	c.t.Helper()
	if a := c.do("POST", "/_simulator/faults", "", []byte(dials), ""); a.http != 200 {
		c.t.Fatalf("faults: %d %s %v", a.http, a.body, a.err)
	}
}

// books are the parts of the books that others rely on.
type books struct {
	Transfers []map[string]string `json:"transfers"`
	Calls     map[string]int      `json:"calls"`
}

func (c *client) books() books {
	c.t.Helper()
	a := c.do("GET", "/_simulator/books", "", nil, "")
	var b books
	if err := json.Unmarshal(a.body, &b); err != nil || a.http != 200 {
		c.t.Fatalf("books: %d %s: %v", a.http, a.body, err)
	}
	return b
}
