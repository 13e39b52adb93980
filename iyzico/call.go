package iyzico

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// The calls, by iyzico's own names, as [Error] and [Config.Observe] have them.
const (
	OpInit     = "init"
	OpAuth     = "auth"
	OpRetrieve = "retrieve"
	OpItem     = "item"
	OpCancel   = "cancel"
	OpBalance  = "balance"
)

// A call is one request and the way to read its answer.
type call struct {
	op, method, path string
	body             []byte // nil for none

	// read reads the value behind a key of the answer which not every answer
	// has. Nil passes over all of them.
	read func(s *scanner, key []byte)
	// needs names what a success must have to be one, and has says whether it
	// was read. Nil asks for nothing.
	needs string
	has   func() bool
	// private are the words of the request that a message must not repeat. Nil
	// if there are none.
	private func() privateWords
}

// do makes the call and reports it to Observe. It returns nil or an [Error].
func (c *Client) do(ctx context.Context, call call) error {
	begin := c.now()
	failed := c.exchange(ctx, call)
	took := c.now().Sub(begin)

	if failed == nil {
		c.observe(call.op, OutcomeAccepted, "", took)
		return nil
	}
	c.observe(call.op, failed.Outcome, failed.Code, took)
	return failed
}

// reject ends a call whose request cannot be right, without sending it.
func (c *Client) reject(op string, err error) error {
	c.observe(op, OutcomeNotSent, "", 0)
	return notSent(op, err)
}

// exchange sends the request and judges the answer.
func (c *Client) exchange(ctx context.Context, call call) *Error {
	if err := ctx.Err(); err != nil {
		return notSent(call.op, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	// Until the transport has a connection for the request nothing of it can
	// have been sent. It says so before it writes.
	var connected atomic.Bool
	req, err := c.newRequest(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}), call)
	if err != nil {
		return notSent(call.op, err)
	}

	resp, err := c.http.Do(req)
	if err != nil {
		lost := &Error{Op: call.op, err: withoutURL(err)}
		if c.pooled && !connected.Load() {
			lost.Outcome = OutcomeNotSent
		}
		return lost
	}
	defer func() { _ = resp.Body.Close() }()
	// What is kept of an answer is copied out of it.
	body := bodies.Get().(*bytes.Buffer) //nolint:forcetypeassert // nothing else is in it
	defer func() {
		if body.Cap() <= maxPooled {
			body.Reset()
			bodies.Put(body)
		}
	}()
	if err := c.readBody(resp, body); err != nil {
		return c.unknown(call, resp.StatusCode, err)
	}
	return c.judge(call, resp.StatusCode, body.Bytes())
}

// bodies are used again: a page of a report takes hundreds of kilobytes.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled keeps the rare huge answer from staying.
const maxPooled = 1 << 20

func (c *Client) newRequest(ctx context.Context, call call) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, call.method, c.base+call.path+c.query, bytes.NewReader(call.body))
	if err != nil {
		return nil, err
	}
	// Without it the transport cannot rewind the body, hence not send it twice.
	req.GetBody = nil

	random, authorization := c.sign(call.path, call.body)
	req.Header.Set("Authorization", authorization)
	req.Header.Set("X-Iyzi-Rnd", random)
	req.Header.Set("Content-Type", "application/json") // documented for GET, too
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "toplu")
	return req, nil
}

// withoutURL drops what http.Client says around an error: the operation is
// known, and the URL is noise.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// readBody reads an answer to its end, so that its connection can be used
// again.
func (c *Client) readBody(resp *http.Response, body *bytes.Buffer) error {
	if 0 < resp.ContentLength && resp.ContentLength <= c.maxBody {
		body.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	n, err := body.ReadFrom(io.LimitReader(resp.Body, c.maxBody+1))
	if err != nil {
		return fmt.Errorf("answer cut off after %d bytes: %w", n, err)
	}
	if n > c.maxBody {
		return fmt.Errorf("answer longer than %d bytes", c.maxBody)
	}
	return nil
}

func notSent(op string, err error) *Error {
	return &Error{Op: op, Outcome: OutcomeNotSent, err: err}
}

// judge says what an answer proves. The status in the body decides. The HTTP
// status does not, for iyzico has been seen to refuse with 200, 400, 401 and
// 422; only a redirect is no answer of iyzico's API, whatever it holds.
//
// A refusal that comes with an HTTP 5xx is still a refusal; whether to believe
// it is for the caller to say, who must not in the case of auth.
func (c *Client) judge(call call, httpStatus int, body []byte) *Error {
	if 300 <= httpStatus && httpStatus <= 399 {
		return c.unknown(call, httpStatus, errors.New("redirected"))
	}
	answer, err := decode(body, call.read)
	if err != nil {
		return c.unknown(call, httpStatus, err)
	}

	switch answer.status {
	case "success":
		if call.has != nil && !call.has() {
			return c.unknown(call, httpStatus, fmt.Errorf("success without %s", call.needs))
		}
		return nil
	case "failure":
		return c.refused(call, httpStatus, answer)
	}
	return c.unknown(call, httpStatus, errors.New("neither success nor failure"))
}

func (c *Client) unknown(call call, httpStatus int, err error) *Error {
	return &Error{Op: call.op, HTTPStatus: httpStatus, Kind: c.kind(httpStatus, ""), err: err}
}

func (c *Client) refused(call call, httpStatus int, answer envelope) *Error {
	private := privateWords{}
	if call.private != nil {
		private = call.private()
	}
	clean := func(text string) string { return sanitise(c.redact(text), private) }
	code := strings.TrimSpace(answer.code)
	return &Error{
		Op:         call.op,
		HTTPStatus: httpStatus,
		Code:       clean(code),
		Group:      clean(answer.group),
		Message:    clean(answer.message),
		Outcome:    OutcomeRefused,
		Kind:       c.kind(httpStatus, code),
	}
}

// kind judges by the code first: a code that may mean "seen before" asks for a
// look, which is right whatever the HTTP status.
func (c *Client) kind(httpStatus int, code string) Kind {
	switch {
	case c.seenBefore[code]:
		return KindSeenBefore
	case trafficCodes[code], 500 <= httpStatus && httpStatus <= 599:
		return KindTraffic
	}
	return KindBatch
}

// encode writes a request once: the same bytes are signed and sent. HTML
// escaping is off, because nobody shows the request in a page. It takes about
// size bytes.
func encode(request any, size int) ([]byte, error) {
	body := bytes.NewBuffer(make([]byte, 0, size))
	e := json.NewEncoder(body)
	e.SetEscapeHTML(false)
	if err := e.Encode(request); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}

// pathSegment refuses what would need escaping in a path, where the two sides
// could differ about which form is signed.
func pathSegment(name, value string) error {
	if value == "" {
		return fmt.Errorf("%s is missing", name)
	}
	for _, r := range value {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
		default:
			return fmt.Errorf("%s holds more than letters, digits, - and _", name)
		}
	}
	return nil
}
