package iyzico

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// iyzico's hosts, for [Config.BaseURL].
const (
	Production = "https://api.iyzipay.com"
	Sandbox    = "https://sandbox-api.iyzipay.com"
)

// Config says which account a [Client] speaks for, and how. Only BaseURL,
// APIKey and SecretKey are needed.
type Config struct {
	// APIKey and SecretKey are a merchant's pair. Keys of the sandbox and of
	// production are refused by each other's host with code 1001.
	APIKey, SecretKey Secret

	// BaseURL is a scheme and a host, [Production] or [Sandbox]. Plain http is
	// taken for a loopback host only.
	BaseURL string

	// HTTPClient sends the requests. Whatever it says, no redirect is followed.
	// Its transport must send a request once: if it retries by itself, a payout
	// can be made twice.
	//
	// Defaults to a client of MaxConns connections, HTTP/1.1 and TLS 1.2 or
	// newer. The proxy of the environment is used.
	HTTPClient *http.Client

	// Locale is the language of iyzico's messages, "tr" or "en".
	//
	// Defaults to "tr".
	Locale string

	// MaxBody is how many bytes of an answer are read. A longer one is an
	// unknown outcome.
	//
	// Defaults to 16 MiB.
	MaxBody int64

	// MaxConns is how many connections are open at most, which is also how many
	// calls run at once; the others wait for a turn, within their Timeout. It
	// says nothing to an HTTPClient of one's own.
	//
	// Defaults to 16.
	MaxConns int

	// Now is the clock behind the durations that Observe gets.
	//
	// Defaults to [time.Now].
	Now func() time.Time

	// Observe, if set, is called at the end of every call with one of the Op
	// constants, its outcome, iyzico's error code ("" if none) and the time it
	// took. It must be safe for concurrent use, and quick.
	Observe func(op string, outcome Outcome, code string, took time.Duration)

	// RandomKey gives the random part of each signature, without "&" or white
	// space. It is for tests of known signatures.
	//
	// Defaults to 26 random letters and digits.
	RandomKey func() string

	// SeenBeforeCodes are the error codes by which init says that it may know
	// the externalId already. None is documented: they are found out in the
	// sandbox. A code that is about the account or the traffic cannot be one.
	SeenBeforeCodes []string

	// Timeout is how long a call may take, from the wait for a connection to
	// the last byte of the answer. A call that takes longer is an unknown
	// outcome.
	//
	// Defaults to 30 seconds.
	Timeout time.Duration
}

// Client makes the six calls of the Mass Payout API for one merchant. It is
// safe for concurrent use. It never repeats a call by itself.
type Client struct {
	base       string
	query      string
	http       *http.Client
	pooled     bool // http connects by net/http's own transport, so its trace can be believed
	maxBody    int64
	now        func() time.Time
	observe    func(op string, outcome Outcome, code string, took time.Duration)
	seenBefore map[string]bool
	timeout    time.Duration

	// The keys live in these two alone. As fields they would show when a
	// Client is printed, for fmt asks no unexported field how to print itself.
	sign   func(path string, body []byte) (random, authorization string)
	redact func(text string) string
}

// New returns a client, or all that is wrong with c in one error. It connects
// to nobody.
func New(c Config) (*Client, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}

	base, _ := url.Parse(c.BaseURL) // checked above
	client := &Client{
		base:       base.Scheme + "://" + base.Host,
		query:      "?locale=" + c.Locale,
		maxBody:    c.MaxBody,
		now:        c.Now,
		observe:    c.Observe,
		seenBefore: make(map[string]bool, len(c.SeenBeforeCodes)),
		timeout:    c.Timeout,
		sign: func(path string, body []byte) (random, authorization string) {
			random = c.RandomKey()
			return random, Authorization(c.APIKey, c.SecretKey, random, path, body)
		},
		redact: strings.NewReplacer(string(c.SecretKey), hidden, string(c.APIKey), hidden).Replace,
	}
	for _, code := range c.SeenBeforeCodes {
		client.seenBefore[code] = true
	}

	hc := *c.HTTPClient
	if hc.Transport == nil {
		hc.Transport = http.DefaultTransport
	}
	// A 307 or 308 would send the whole payout again, to wherever it points.
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.http = &hc
	_, client.pooled = hc.Transport.(*http.Transport)
	return client, nil
}

// CloseIdleConnections closes the connections that no call uses.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

func (c Config) withDefaults() Config {
	c.Locale = cmp.Or(c.Locale, "tr")
	c.MaxBody = cmp.Or(c.MaxBody, 16<<20)
	c.MaxConns = cmp.Or(c.MaxConns, 16)
	c.Timeout = cmp.Or(c.Timeout, 30*time.Second)
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the one place
	}
	if c.Observe == nil {
		c.Observe = func(string, Outcome, string, time.Duration) {}
	}
	if c.RandomKey == nil {
		c.RandomKey = rand.Text
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{Transport: newTransport(c.MaxConns)}
	}
	return c
}

// newTransport opens at most maxConns connections. It speaks HTTP/1.1 alone:
// HTTP/2 has retries of its own, and one connection for all calls fails them
// all at once.
func newTransport(maxConns int) *http.Transport {
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		// Shorter than a load balancer waits: a request on a connection which
		// the other side has just given up is a lost answer.
		IdleConnTimeout:     20 * time.Second,
		MaxConnsPerHost:     maxConns,
		MaxIdleConns:        maxConns,
		MaxIdleConnsPerHost: maxConns,
		Protocols:           http1,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
	}
}

// check returns every mistake. None of them quotes a key, or a URL that may
// hold one.
func (c Config) check() error {
	var wrong []error
	note := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Errorf("iyzico: "+format, args...))
		}
	}

	wrong = append(wrong, checkBaseURL(c.BaseURL))
	note(c.APIKey == "", "APIKey is missing")
	note(c.SecretKey == "", "SecretKey is missing")
	note(strings.ContainsFunc(string(c.APIKey), unprintable), "APIKey holds white space or a control character")
	note(strings.ContainsFunc(string(c.SecretKey), unprintable), "SecretKey holds white space or a control character")
	note(strings.Contains(string(c.APIKey), "&"), `APIKey holds an "&"`)
	note(c.Locale != "tr" && c.Locale != "en", "Locale is %q, want tr or en", c.Locale)
	note(c.MaxBody < 0, "MaxBody is negative")
	note(c.MaxConns < 0, "MaxConns is negative")
	note(c.Timeout < 0, "Timeout is negative")
	for _, code := range c.SeenBeforeCodes {
		note(code == "", "SeenBeforeCodes holds an empty code")
		note(trafficCodes[code], "SeenBeforeCodes holds %s, which is about the account or the traffic", code)
	}
	return errors.Join(wrong...)
}

func unprintable(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func checkBaseURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return errors.New("iyzico: BaseURL is missing")
	case err != nil || u.Host == "":
		return errors.New("iyzico: BaseURL is not a URL with a host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/"):
		return errors.New("iyzico: BaseURL has more than a scheme and a host")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("iyzico: BaseURL is not https, and its host not a loopback one")
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
