package iyzico_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico"
)

// What an answer proves, for all six calls alike. The zero value of success
// stands for the least successful answer of the call.
func TestOutcomeOfAnswers(t *testing.T) {
	t.Parallel()
	const success = ""
	failure := func(code string) string { return `{"status":"failure","errorCode":` + code + `,"errorMessage":"no"}` }
	for _, tt := range []struct {
		name    string
		status  int
		body    string
		outcome iyzico.Outcome
		kind    iyzico.Kind
	}{
		{"success", 200, success, iyzico.OutcomeAccepted, 0},
		{"success with HTTP 400", 400, success, iyzico.OutcomeAccepted, 0},
		{"success with HTTP 500", 500, success, iyzico.OutcomeAccepted, 0},

		{"failure", 200, failure(`"11"`), iyzico.OutcomeRefused, iyzico.KindBatch},
		{"failure with HTTP 400", 400, failure(`"11"`), iyzico.OutcomeRefused, iyzico.KindBatch},
		{"failure with HTTP 422", 422, failure(`"5001"`), iyzico.OutcomeRefused, iyzico.KindBatch},
		{"failure without a code", 200, `{"status":"failure"}`, iyzico.OutcomeRefused, iyzico.KindBatch},
		{"failure with code null", 200, failure(`null`), iyzico.OutcomeRefused, iyzico.KindBatch},
		{"signature", 401, failure(`"1000"`), iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"API key", 200, failure(`"1001"`), iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"system error 1", 200, failure(`"1"`), iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"system error 2", 200, failure(`2`), iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"not enabled", 422, failure(`"100001"`), iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"marketplaces only", 200, failure(`"2000"`), iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"frozen", 200, failure(`"9000"`), iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"rate limit as a number", 429, failure(`50000`), iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"rate limit as text", 200, failure(`" 50000 "`), iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"failure with HTTP 500", 500, failure(`"11"`), iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"failure with HTTP 503, no code", 503, `{"status":"failure"}`, iyzico.OutcomeRefused, iyzico.KindTraffic},
		{"seen before", 400, failure(`"7777"`), iyzico.OutcomeRefused, iyzico.KindSeenBefore},
		{"seen before with HTTP 500", 500, failure(`7777`), iyzico.OutcomeRefused, iyzico.KindSeenBefore},

		{"empty", 200, ` `, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"HTML", 404, `<html>not found</html>`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"HTML with HTTP 502", 502, `<html>bad gateway</html>`, iyzico.OutcomeUnknown, iyzico.KindTraffic},
		{"cut short", 200, `{"status":"success","requestId":"r-1"`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"more behind it", 200, `{"status":"failure"}{}`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"array", 200, `[]`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"null", 200, `null`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"no status", 200, `{"requestId":"r-1"}`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"status null", 200, `{"status":null}`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"unknown status", 200, `{"status":"pending","requestId":"r-1"}`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"status in capitals", 200, `{"status":"SUCCESS","requestId":"r-1"}`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"status no text", 200, `{"status":true}`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"too long", 200, `{"status":"failure","x":"` + strings.Repeat("x", 4096) + `"}`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"too long for white space alone", 200, `{"status":"failure"}` + strings.Repeat(" ", 4096), iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"too deep", 200, `{"status":"failure","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"success with HTTP 302", 302, success, iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"failure with HTTP 304", 304, "", iyzico.OutcomeUnknown, iyzico.KindBatch},
		{"failure with HTTP 308", 308, failure(`"1000"`), iyzico.OutcomeUnknown, iyzico.KindBatch},
	} {
		for _, call := range calls {
			t.Run(tt.name+"/"+call.op, func(t *testing.T) {
				t.Parallel()
				body := tt.body
				if body == success {
					body = call.success
				}
				client := newClient(t, answering(t, tt.status, body).URL, func(c *iyzico.Config) {
					c.SeenBeforeCodes = []string{"7777"}
					c.MaxBody = 4096
				})
				err := call.do(t.Context(), client)
				if got := iyzico.OutcomeOf(err); got != tt.outcome {
					t.Errorf("outcome %s, want %s: %v", got, tt.outcome, err)
				}
				if got := iyzico.KindOf(err); got != tt.kind {
					t.Errorf("kind %s, want %s: %v", got, tt.kind, err)
				}
				if err == nil {
					return
				}
				e, ok := errors.AsType[*iyzico.Error](err)
				if !ok || e.Op != call.op || e.HTTPStatus != tt.status {
					t.Errorf("error %#v, want op %s and HTTP %d", err, call.op, tt.status)
				}
			})
		}
	}
}

// A success that lacks its very content is none.
func TestSuccessWithoutContent(t *testing.T) {
	t.Parallel()
	for op, bodies := range map[string][]string{
		iyzico.OpInit:    {`{"status":"success"}`, `{"status":"success","requestId":""}`, `{"status":"success","requestId":null}`},
		iyzico.OpItem:    {`{"status":"success"}`, `{"status":"success","item":null}`},
		iyzico.OpBalance: {`{"status":"success"}`, `{"status":"success","balance":null}`, `{"status":"success","balance":""}`},
	} {
		for _, call := range calls {
			if call.op != op {
				continue
			}
			for _, body := range bodies {
				err := call.do(t.Context(), newClient(t, answering(t, 200, body).URL))
				if err == nil || iyzico.OutcomeOf(err) != iyzico.OutcomeUnknown {
					t.Errorf("%s answered %s: %v, want an unknown outcome", op, body, err)
				}
			}
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, call := range calls {
			t.Run(fmt.Sprintf("%d/%s", status, call.op), func(t *testing.T) {
				t.Parallel()
				var followed atomic.Int32
				target := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
					followed.Add(1)
					_, _ = w.Write([]byte(call.success))
				})
				server := newServer(t, func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, target.URL, status)
				})
				client := newClient(t, server.URL, func(c *iyzico.Config) {
					// A client of one's own that follows is made not to.
					c.HTTPClient = &http.Client{Transport: server.Client().Transport}
				})
				err := call.do(t.Context(), client)
				if err == nil || iyzico.OutcomeOf(err) != iyzico.OutcomeUnknown || followed.Load() != 0 {
					t.Errorf("followed %d times: %v", followed.Load(), err)
				}
			})
		}
	}
}

// Nothing was sent, provably.
func TestNotSent(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := "http://" + closed.Addr().String()
	_ = closed.Close()

	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	t.Cleanup(tls.Close)

	ended, cancel := context.WithCancel(t.Context())
	cancel()

	for _, call := range calls {
		for name, tt := range map[string]struct {
			ctx   context.Context
			url   string
			cause error
		}{
			"context ended": {ended, answering(t, 200, call.success).URL, context.Canceled},
			"no connection": {t.Context(), refusing, nil},
			"untrusted":     {t.Context(), tls.URL, nil},
		} {
			err := call.do(tt.ctx, newClient(t, tt.url))
			if got := iyzico.OutcomeOf(err); got != iyzico.OutcomeNotSent {
				t.Errorf("%s, %s: outcome %s: %v", call.op, name, got, err)
			}
			if tt.cause != nil && !errors.Is(err, tt.cause) {
				t.Errorf("%s, %s: %v is not %v", call.op, name, err, tt.cause)
			}
		}
	}
}

// A call that finds all connections taken ends with its context, unsent.
func TestWaitForALaneIsNotSent(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	arrived, release := make(chan struct{}), make(chan struct{})
	server := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		close(arrived)
		<-release
		_, _ = w.Write([]byte(`{"status":"success"}`))
	})
	client := newClient(t, server.URL, func(c *iyzico.Config) { c.MaxConns = 1 })

	first := make(chan error)
	go func() { first <- client.Auth(t.Context(), requestID) }()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := client.Auth(ctx, requestID)
	close(release)
	if err := <-first; err != nil {
		t.Errorf("the first call: %v", err)
	}
	if iyzico.OutcomeOf(err) != iyzico.OutcomeNotSent || !errors.Is(err, context.DeadlineExceeded) || requests.Load() != 1 {
		t.Errorf("%d requests, the second call: %v", requests.Load(), err)
	}
}

// Without the trace of net/http's own transport nothing is certain, but for a
// context that had ended before.
func TestForeignTransportProvesNothing(t *testing.T) {
	t.Parallel()
	client := newClient(t, "http://127.0.0.1:1", func(c *iyzico.Config) {
		c.HTTPClient = &http.Client{Transport: failing{}}
	})
	if err := client.Auth(t.Context(), requestID); err == nil || iyzico.OutcomeOf(err) != iyzico.OutcomeUnknown {
		t.Errorf("outcome %s: %v", iyzico.OutcomeOf(err), err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Auth(ended, requestID); iyzico.OutcomeOf(err) != iyzico.OutcomeNotSent {
		t.Errorf("context ended: %v", err)
	}
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Err: errors.New("perhaps")}
}

// A request that has left and got no answer in time may have had its effect.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, call := range calls {
		t.Run("time-out/"+call.op, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			server := newServer(t, func(http.ResponseWriter, *http.Request) { <-release })
			client := newClient(t, server.URL, func(c *iyzico.Config) { c.Timeout = 50 * time.Millisecond })
			err := call.do(t.Context(), client)
			close(release)
			if err == nil || iyzico.OutcomeOf(err) != iyzico.OutcomeUnknown || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("outcome %s: %v", iyzico.OutcomeOf(err), err)
			}
		})
		t.Run("cancelled/"+call.op, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			release := make(chan struct{})
			server := newServer(t, func(http.ResponseWriter, *http.Request) { cancel(); <-release })
			err := call.do(ctx, newClient(t, server.URL))
			close(release)
			if err == nil || iyzico.OutcomeOf(err) != iyzico.OutcomeUnknown || !errors.Is(err, context.Canceled) {
				t.Errorf("outcome %s: %v", iyzico.OutcomeOf(err), err)
			}
		})
		t.Run("cut in the middle/"+call.op, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "4000")
				_, _ = w.Write([]byte(call.success))
				panic(http.ErrAbortHandler)
			})
			err := call.do(t.Context(), newClient(t, server.URL))
			if err == nil || iyzico.OutcomeOf(err) != iyzico.OutcomeUnknown {
				t.Errorf("outcome %s: %v", iyzico.OutcomeOf(err), err)
			}
		})
	}
}

func TestRequestsThatCannotBeRightAreNotSent(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := newServer(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	client := newClient(t, server.URL)
	ctx := t.Context()
	initWith := func(change func(*iyzico.InitRequest)) error {
		r := sampleInit()
		change(&r)
		_, err := client.Init(ctx, r)
		return err
	}
	retrieve := func(r iyzico.RetrieveRequest) error { _, err := client.Retrieve(ctx, r); return err }
	item := func(code string) error { _, err := client.Item(ctx, code); return err }

	for name, err := range map[string]error{
		"init without externalId":     initWith(func(r *iyzico.InitRequest) { r.ExternalID = "" }),
		"init without items":          initWith(func(r *iyzico.InitRequest) { r.Items = nil }),
		"init without itemExternalId": initWith(func(r *iyzico.InitRequest) { r.Items[1].ExternalID = "" }),
		"init without recipient":      initWith(func(r *iyzico.InitRequest) { r.Items[1].Recipient = "" }),
		"init without recipientType":  initWith(func(r *iyzico.InitRequest) { r.Items[1].RecipientType = "" }),
		"init of nothing":             initWith(func(r *iyzico.InitRequest) { r.Items[1].Amount = 0 }),
		"init of less":                initWith(func(r *iyzico.InitRequest) { r.Items[1].Amount = -1 }),
		"init without currency":       initWith(func(r *iyzico.InitRequest) { r.Items[1].Currency = "" }),
		"auth of nothing":             client.Auth(ctx, ""),
		"cancel of nothing":           client.Cancel(ctx, ""),
		"cancel elsewhere":            client.Cancel(ctx, "../auth"),
		"cancel with a query":         client.Cancel(ctx, "r?x=y"),
		"item of nothing":             item(""),
		"item elsewhere":              item(".."),
		"retrieve without id":         retrieve(iyzico.RetrieveRequest{Size: 1}),
		"retrieve without size":       retrieve(iyzico.RetrieveRequest{RequestID: "r"}),
		"retrieve before the start":   retrieve(iyzico.RetrieveRequest{RequestID: "r", Size: 1, Page: -1}),
	} {
		if iyzico.OutcomeOf(err) != iyzico.OutcomeNotSent {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := requests.Load(); got != 0 {
		t.Errorf("%d requests arrived", got)
	}
}

func TestOutcomeOfOtherErrors(t *testing.T) {
	t.Parallel()
	refused := &iyzico.Error{Op: iyzico.OpInit, Code: "7", Outcome: iyzico.OutcomeRefused, Kind: iyzico.KindTraffic}
	for _, tt := range []struct {
		err     error
		outcome iyzico.Outcome
		kind    iyzico.Kind
		code    string
	}{
		{nil, iyzico.OutcomeAccepted, iyzico.KindBatch, ""},
		{errors.New("something"), iyzico.OutcomeUnknown, iyzico.KindBatch, ""},
		{context.Canceled, iyzico.OutcomeUnknown, iyzico.KindBatch, ""},
		{&iyzico.Error{}, iyzico.OutcomeUnknown, iyzico.KindBatch, ""},
		{fmt.Errorf("merchant x: %w", refused), iyzico.OutcomeRefused, iyzico.KindTraffic, "7"},
	} {
		if o, k, c := iyzico.OutcomeOf(tt.err), iyzico.KindOf(tt.err), iyzico.CodeOf(tt.err); o != tt.outcome || k != tt.kind || c != tt.code {
			t.Errorf("%v: %s %s %q", tt.err, o, k, c)
		}
	}
}

// iyzico quotes the request; the error does not.
func TestErrorsHideWhatMessagesQuote(t *testing.T) {
	t.Parallel()
	body := `{"status":"failure","errorCode":"TR920086402100005482911108","errorGroup":"John",` +
		`"errorMessage":"JOHN DOE TR92 0086 4021 0000 5482 9111 08 2228853 22222222220 +90 555 555 55 55 ` +
		testAPIKey + ` ` + testSecretKey + ` yok"}`
	_, err := newClient(t, answering(t, 200, body).URL).Init(t.Context(), sampleInit())
	want := "iyzico init: refused, code ***, group ***, HTTP 200: *** *** *** *** *** *** *** *** yok"
	if err == nil || err.Error() != want {
		t.Errorf("error %q\nwant  %q", err, want)
	}
	for _, way := range prints(t, err) {
		for _, secret := range []string{"John", "DOE", "2228853", "TR92", testAPIKey, testSecretKey} {
			if strings.Contains(way, secret) {
				t.Errorf("shows %q: %s", secret, way)
			}
		}
	}
}

// A broken answer is not quoted either.
func TestDecodeErrorsQuoteNothing(t *testing.T) {
	t.Parallel()
	body := `{"status":"success","massPayoutItems":{"items":[{"recipientInfo":{"TR330006100519786457841326":"Ayşe"}}]}}`
	_, err := newClient(t, answering(t, 200, body).URL).Retrieve(t.Context(), sampleRetrieve())
	want := "iyzico retrieve: unknown, HTTP 200: byte 65 of the answer: want a number"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
