package iyzico_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico"
)

// sent is a request as the server saw it.
type sent struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
}

// recording answers every request with answer, and returns the last one.
func recording(t *testing.T, answer []byte) (url string, last func() sent) {
	t.Helper()
	var got atomic.Pointer[sent]
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read request: %v", err)
		}
		got.Store(&sent{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header, body})
		_, _ = w.Write(answer)
	})
	return server.URL, func() sent { return *got.Load() }
}

func TestRequests(t *testing.T) {
	t.Parallel()
	want := map[string]struct{ method, path string }{
		iyzico.OpInit:     {"POST", "/v1/mass/payout/init"},
		iyzico.OpAuth:     {"POST", "/v1/mass/payout/auth"},
		iyzico.OpRetrieve: {"POST", "/v1/mass/payout/retrieve"},
		iyzico.OpItem:     {"GET", "/v1/mass/payout/retrieve/items/" + referenceCode},
		iyzico.OpCancel:   {"POST", "/v1/mass/payout/cancel/" + requestID},
		iyzico.OpBalance:  {"GET", "/v1/mass/payout/balance"},
	}
	for _, call := range calls {
		t.Run(call.op, func(t *testing.T) {
			t.Parallel()
			url, last := recording(t, []byte(call.success))
			client := newClient(t, url, func(c *iyzico.Config) {
				c.RandomKey = func() string { return "123456789" }
				c.Locale = "en"
			})
			if err := call.do(t.Context(), client); err != nil {
				t.Fatal(err)
			}

			got := last()
			if got.Method != want[call.op].method || got.Path != want[call.op].path || got.Query != "locale=en" {
				t.Errorf("%s %s?%s, want %v?locale=en", got.Method, got.Path, got.Query, want[call.op])
			}
			authorization := iyzico.Authorization(testAPIKey, testSecretKey, "123456789", got.Path, got.Body)
			for name, value := range map[string]string{
				"Authorization": authorization,
				"X-Iyzi-Rnd":    "123456789",
				"Content-Type":  "application/json",
				"Accept":        "application/json",
			} {
				if got := got.Header.Values(name); len(got) != 1 || got[0] != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
			for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
				if got.Header.Get(name) != "" {
					t.Errorf("%s is sent, which lets the transport send a POST twice", name)
				}
			}
		})
	}
}

// The verified signatures hold for what the client sends over the wire.
func TestRequestsCarryTheVerifiedSignatures(t *testing.T) {
	t.Parallel()
	byName := map[string]vector{}
	for _, v := range vectors(t) {
		byName[v.Name] = v
	}
	for name, call := range map[string]func(*iyzico.Client) error{
		"init": func(c *iyzico.Client) error {
			_, err := c.Init(t.Context(), iyzico.InitRequest{
				ExternalID: "batch-0001", ConversationID: "conv-0001", Purpose: iyzico.PurposeSalary,
				Items: []iyzico.InitItem{{
					ExternalID: "item-1", RecipientType: iyzico.RecipientIBAN, Recipient: "TR330006100519786457841326",
					Amount: 100_50, Currency: iyzico.TRY, Description: "Maaş ödemesi", RecipientName: "Ayşe Yılmaz",
				}},
			})
			return err
		},
		"auth": func(c *iyzico.Client) error { return c.Auth(t.Context(), requestID) },
		"retrieve": func(c *iyzico.Client) error {
			_, err := c.Retrieve(t.Context(), iyzico.RetrieveRequest{RequestID: requestID, ItemType: iyzico.ItemsValid, Size: 40})
			return err
		},
		"balance (GET, no body)": func(c *iyzico.Client) error { _, err := c.Balance(t.Context()); return err },
		"item (GET, no body)": func(c *iyzico.Client) error {
			_, err := c.Item(t.Context(), referenceCode)
			return err
		},
		"cancel (POST, no body)": func(c *iyzico.Client) error { return c.Cancel(t.Context(), requestID) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, ok := byName[name]
			if !ok {
				t.Fatal("no such vector")
			}
			url, last := recording(t, []byte(`{"status":"success","requestId":"r","balance":"0","item":{}}`))
			client := newClient(t, url, func(c *iyzico.Config) { c.RandomKey = func() string { return v.RandomKey } })
			if err := call(client); err != nil {
				t.Fatal(err)
			}
			got := last()
			if string(got.Body) != v.Body || got.Path != v.URIPath || got.Method != v.Method {
				t.Errorf("sent %s %s\n%s\nwant %s %s\n%s", got.Method, got.Path, got.Body, v.Method, v.URIPath, v.Body)
			}
			if got := got.Header.Get("Authorization"); got != v.Authorization {
				t.Errorf("authorization %s, want %s", got, v.Authorization)
			}
		})
	}
}

func TestRandomKeysDiffer(t *testing.T) {
	t.Parallel()
	url, last := recording(t, []byte(`{"status":"success"}`))
	client := newClient(t, url)
	seen := map[string]bool{}
	for range 20 {
		if err := client.Auth(t.Context(), requestID); err != nil {
			t.Fatal(err)
		}
		seen[last().Header.Get("X-Iyzi-Rnd")] = true
	}
	if len(seen) != 20 {
		t.Errorf("%d keys in 20 calls", len(seen))
	}
}

// The samples of iyzico's page are sent to the byte, white space aside, and
// their answers understood.
func TestSamples(t *testing.T) {
	t.Parallel()
	t.Run("init", func(t *testing.T) {
		t.Parallel()
		url, last := recording(t, readFile(t, "init_answer.json"))
		got, err := newClient(t, url).Init(t.Context(), sampleInit())
		if err != nil {
			t.Fatal(err)
		}
		same(t, last().Body, "init_request.json")
		want := iyzico.InitAnswer{RequestID: requestID, ConversationID: "conversationId-894"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("answer (-want +got):\n%s", diff)
		}
	})
	t.Run("auth", func(t *testing.T) {
		t.Parallel()
		url, last := recording(t, readFile(t, "auth_answer.json"))
		if err := newClient(t, url).Auth(t.Context(), requestID); err != nil {
			t.Fatal(err)
		}
		same(t, last().Body, "auth_request.json")
	})
	t.Run("retrieve", func(t *testing.T) {
		t.Parallel()
		url, last := recording(t, readFile(t, "retrieve_answer.json"))
		got, err := newClient(t, url).Retrieve(t.Context(), sampleRetrieve())
		if err != nil {
			t.Fatal(err)
		}
		same(t, last().Body, "retrieve_request.json")
		if diff := cmp.Diff(sampleReport(), got); diff != "" {
			t.Errorf("report (-want +got):\n%s", diff)
		}
	})
	t.Run("item", func(t *testing.T) {
		t.Parallel()
		url, _ := recording(t, readFile(t, "item_answer.json"))
		got, err := newClient(t, url).Item(t.Context(), "b9a2f39c-0403-4869-a23a-371046c7431f")
		if err != nil {
			t.Fatal(err)
		}
		want := iyzico.Item{
			ExternalID: "ext-65656", ReferenceCode: "b9a2f39c-0403-4869-a23a-371046c7431f",
			RecipientType: iyzico.RecipientIBAN, Recipient: "TR920086402100005482986178", RecipientName: "Jane Customer",
			Description: "Payment for services", Status: iyzico.ItemInit,
			Amount: 100_00, Commission: 20_00, Currency: iyzico.TRY,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("item (-want +got):\n%s", diff)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		t.Parallel()
		url, last := recording(t, readFile(t, "cancel_answer.json"))
		if err := newClient(t, url).Cancel(t.Context(), requestID); err != nil {
			t.Fatal(err)
		}
		if body := last().Body; len(body) != 0 {
			t.Errorf("cancel has a body: %s", body)
		}
	})
	t.Run("balance", func(t *testing.T) {
		t.Parallel()
		url, _ := recording(t, readFile(t, "balance_answer.json"))
		got, err := newClient(t, url).Balance(t.Context())
		if err != nil || got != 25399393_50 {
			t.Errorf("balance %s, %v, want 25399393.50", got, err)
		}
	})
}

func sampleReport() iyzico.Report {
	item := iyzico.Item{
		RecipientType: iyzico.RecipientIBAN, Recipient: "TR920086402100005111981111", RecipientName: "John Doe",
		Description: "Payment for services", Status: iyzico.ItemInit,
		Amount: 100_50, Commission: 20_00, Currency: iyzico.TRY,
	}
	first, second := item, item
	first.ExternalID, first.ReferenceCode = "ext-0077", referenceCode
	second.ExternalID, second.ReferenceCode = "ext-0099", "050b8f81-aaf7-400d-80fa-21bbed27a816"
	return iyzico.Report{
		Found: true,
		Batch: iyzico.Batch{
			ExternalID: "massPayoutId-323", Status: iyzico.BatchPublishedToQueue, Currency: iyzico.TRY, Total: 201_00,
		},
		Items: []iyzico.Item{first, second},
		Page:  0, Size: 40, Total: 2,
	}
}

// same compares a body with a sample, white space aside.
func same(t *testing.T, body []byte, sample string) {
	t.Helper()
	var got, want bytes.Buffer
	if err := json.Compact(&got, body); err != nil {
		t.Fatal(err)
	}
	text := bytes.ReplaceAll(readFile(t, sample), []byte("\u00a0"), nil) // the page has them between the fields
	if err := json.Compact(&want, text); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Errorf("request (-sample +sent):\n%s", diff)
	}
	if got.String() != string(body) {
		t.Errorf("sent with white space: %s", body)
	}
}

func TestInitBody(t *testing.T) {
	t.Parallel()
	body, err := iyzico.EncodeInit(iyzico.InitRequest{ExternalID: "b-1", Items: []iyzico.InitItem{{
		ExternalID: "p-1", RecipientType: iyzico.RecipientIBAN, Recipient: "TR1", RecipientName: `A&B <"ş">`,
		Amount: 7_05, Currency: iyzico.EUR,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"externalId":"b-1","conversationId":"b-1","items":[{"itemExternalId":"p-1","recipientType":"IBAN",` +
		`"recipientInfo":"TR1","amount":{"value":7.05,"currency":"EUR"},"recipientName":"A&B <\"ş\">"}]}`
	if string(body) != want {
		t.Errorf("body %s\nwant %s", body, want)
	}
}

// Every method says which endpoint it is, and there are these six.
func TestOperations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^//iyzico:operation (.+)$`).FindAllSubmatch(source, -1) {
			got = append(got, string(m[1]))
		}
	}
	slices.Sort(got)
	want := []string{
		"GET /v1/mass/payout/balance",
		"GET /v1/mass/payout/retrieve/items/{referenceCode}",
		"POST /v1/mass/payout/auth",
		"POST /v1/mass/payout/cancel/{requestId}",
		"POST /v1/mass/payout/init",
		"POST /v1/mass/payout/retrieve",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	type seen struct {
		Op      string
		Outcome iyzico.Outcome
		Code    string
		Took    time.Duration
	}
	server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/mass/payout/balance":
			_, _ = io.WriteString(w, `{"status":"failure","errorCode":50000}`)
		case "/v1/mass/payout/init":
			_, _ = io.WriteString(w, `{"status":"success"}`)
		default:
			_, _ = io.WriteString(w, `{"status":"success"}`)
		}
	})
	var got []seen
	clock := time.Unix(0, 0)
	client := newClient(t, server.URL, func(c *iyzico.Config) {
		c.Now = func() time.Time { clock = clock.Add(time.Second); return clock }
		c.Observe = func(op string, outcome iyzico.Outcome, code string, took time.Duration) {
			got = append(got, seen{op, outcome, code, took})
		}
	})
	_ = client.Auth(t.Context(), requestID)
	_, _ = client.Balance(t.Context())
	_, _ = client.Init(t.Context(), sampleInit())
	_ = client.Cancel(t.Context(), "")

	want := []seen{
		{iyzico.OpAuth, iyzico.OutcomeAccepted, "", time.Second},
		{iyzico.OpBalance, iyzico.OutcomeRefused, "50000", time.Second},
		{iyzico.OpInit, iyzico.OutcomeUnknown, "", time.Second},
		{iyzico.OpCancel, iyzico.OutcomeNotSent, "", 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
}
