package iyzico_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/toplu/toplu/iyzico"
)

// A silent server answers the first request of each connection and reads the
// second to its end, then closes without a word. That is the case in which a
// transport is tempted to send a request again.
type silent struct {
	net.Listener
	requests atomic.Int32
}

func newSilent(t *testing.T, answer string) *silent {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silent{Listener: listener}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.serve(conn, answer)
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return s
}

func (s *silent) serve(conn net.Conn, answer string) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for first := true; ; first = false {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		s.requests.Add(1)
		if !first {
			return
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
	}
}

func TestNoPostIsSentTwice(t *testing.T) {
	t.Parallel()
	for _, call := range calls {
		if call.op == iyzico.OpItem || call.op == iyzico.OpBalance {
			continue // a GET may be, and changes nothing
		}
		t.Run(call.op, func(t *testing.T) {
			t.Parallel()
			server := newSilent(t, call.success)
			client := newClient(t, "http://"+server.Addr().String())
			if err := call.do(t.Context(), client); err != nil {
				t.Fatalf("first call: %v", err)
			}
			err := call.do(t.Context(), client)
			if err == nil || iyzico.OutcomeOf(err) != iyzico.OutcomeUnknown {
				t.Errorf("second call: %v, want an unknown outcome", err)
			}
			client.CloseIdleConnections()
			if got := server.requests.Load(); got != 2 {
				t.Errorf("%d requests arrived, want 2", got)
			}
		})
	}
}

// The transport gets no way to rewind a body.
func TestBodiesCannotBeRewound(t *testing.T) {
	t.Parallel()
	for _, call := range calls {
		var checked bool
		client := newClient(t, "http://127.0.0.1:1", func(c *iyzico.Config) {
			c.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				checked = true
				if r.GetBody != nil {
					t.Errorf("%s: GetBody is set", call.op)
				}
				return nil, io.EOF
			})}
		})
		if err := call.do(t.Context(), client); err == nil || !checked {
			t.Errorf("%s: sent %t, %v", call.op, checked, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Answers are read to their end whatever they are, so that one connection
// does for all.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	answers := []struct {
		status int
		body   string
	}{
		{200, `{"status":"success"}`},
		{400, `{"status":"failure","errorCode":"1"}`},
		{502, `<html>bad gateway</html>`},
		{302, `moved`},
		{200, `{"status":"success"} and more`},
	}
	var turn atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer := answers[int(turn.Add(1)-1)%len(answers)]
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)

	client := newClient(t, server.URL)
	for range 4 * len(answers) {
		_ = client.Auth(t.Context(), requestID)
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("%d connections for %d calls, want 1", got, turn.Load())
	}
}
