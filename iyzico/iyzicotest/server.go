package iyzicotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Config is what a [Server] needs.
type Config struct {
	// Merchants has the secret key of every API key. At least one.
	Merchants map[string]string
	// Settings of the provider.
	Settings Settings
	// Seed of every chance the provider takes.
	Seed uint64
	// Now is the clock. Default: the system's.
	Now func() time.Time
}

// Server is a [Provider] over HTTP. It is a [net/http.Handler], safe for
// concurrent use, and starts no goroutines.
type Server struct {
	provider  *Provider
	merchants map[string]string
	mux       *http.ServeMux
}

// NewServer returns a server with a provider of its own.
func NewServer(c Config) (*Server, error) {
	now := c.Now
	if now == nil {
		now = time.Now //nolint:forbidigo // the one place where the simulator meets the system's clock
	}
	p, err := NewProvider(c.Settings, now, rand.New(rand.NewPCG(c.Seed, 0))) //nolint:gosec // faults need chance that can be repeated
	if len(c.Merchants) == 0 {
		err = errors.Join(err, errors.New("merchants: at least one API key and its secret are needed"))
	}
	for key, secret := range c.Merchants {
		if key == "" || secret == "" || strings.Contains(key, "&") {
			err = errors.Join(err, errors.New("merchants: an API key or a secret is empty, or a key has an &"))
		}
	}
	if err != nil {
		return nil, err
	}
	s := &Server{provider: p, merchants: c.Merchants, mux: http.NewServeMux()}
	const base = "/v1/mass/payout/"
	s.mux.HandleFunc("POST "+base+"init", s.handle(OpInit, s.init))
	s.mux.HandleFunc("POST "+base+"auth", s.handle(OpAuth, s.auth))
	s.mux.HandleFunc("POST "+base+"retrieve", s.handle(OpRetrieve, s.retrieve))
	s.mux.HandleFunc("GET "+base+"retrieve/items/{referenceCode}", s.handle(OpItem, s.item))
	s.mux.HandleFunc("POST "+base+"cancel/{requestId}", s.handle(OpCancel, s.cancel))
	s.mux.HandleFunc("GET "+base+"balance", s.handle(OpBalance, s.balance))
	s.control()
	return s, nil
}

// Provider returns the provider behind the server, for tests that look at the
// books or turn dials without HTTP.
func (s *Server) Provider() *Provider { return s.provider }

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// request is a call whose signature was right.
type request struct {
	*http.Request
	apiKey string
	body   []byte
}

// handle verifies a request, makes the call and sends the answer.
func (s *Server) handle(op Op, call func(*request) Answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		locale := strings.ToLower(r.URL.Query().Get("locale"))
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.provider.settings.MaxBodyBytes))
		var tooLarge *http.MaxBytesError
		var a Answer
		switch {
		case errors.As(err, &tooLarge):
			a = failure(codeInvalid, "Invalid request: body is too large")
			a.HTTPStatus = http.StatusRequestEntityTooLarge
		case err != nil:
			return // the caller has gone
		default:
			a = s.verified(r, body, locale, call)
		}
		if a.SystemTime.IsZero() {
			a.SystemTime = s.provider.clock()
		}
		if a.HTTPStatus == 0 {
			a.HTTPStatus = s.provider.httpStatus(op, a.Code)
		}
		if locale != "en" {
			locale = "tr"
		}
		send(w, r, &a, op, locale)
	}
}

// verified makes the call if its signature and its locale are right.
func (s *Server) verified(r *http.Request, body []byte, locale string, call func(*request) Answer) Answer {
	c, ok := readAuthorization(r.Header.Get("Authorization"))
	secret, known := s.merchants[c.apiKey]
	var a Answer
	switch {
	case ok && !known:
		a = failure(codeUnknownKey, "API info not found")
		a.HTTPStatus = s.provider.settings.HTTPSignature
	case !ok || !c.signedBy(secret, r.URL.EscapedPath(), body):
		a = failure(codeBadSignature, "Invalid signature")
		a.HTTPStatus = s.provider.settings.HTTPSignature
	case locale == "" && s.provider.settings.MissingLocale == MissingLocaleReject:
		a = failure(codeInvalid, "Invalid request: locale")
	default:
		a = call(&request{r, c.apiKey, body})
	}
	return a
}

func (s *Server) init(r *request) Answer {
	var body InitRequest
	if a, ok := s.decode(r, &body); !ok {
		return a
	}
	return s.provider.Init(r.apiKey, body)
}

func (s *Server) auth(r *request) Answer {
	var body struct {
		RequestID string `json:"requestId"`
	}
	if a, ok := s.decode(r, &body); !ok {
		return a
	}
	return s.provider.Auth(r.apiKey, body.RequestID)
}

func (s *Server) retrieve(r *request) Answer {
	var body RetrieveRequest
	if a, ok := s.decode(r, &body); !ok {
		return a
	}
	return s.provider.Retrieve(r.apiKey, body)
}

func (s *Server) item(r *request) Answer {
	return s.provider.Item(r.apiKey, r.PathValue("referenceCode"))
}

func (s *Server) cancel(r *request) Answer {
	return s.provider.Cancel(r.apiKey, r.PathValue("requestId"))
}

func (s *Server) balance(r *request) Answer {
	return s.provider.Balance(r.apiKey)
}

// decode reads a body, and makes the failure of one that cannot be read.
func (s *Server) decode(r *request, into any) (Answer, bool) {
	var err error
	if s.provider.settings.StrictJSON {
		d := json.NewDecoder(bytes.NewReader(r.body))
		d.DisallowUnknownFields()
		err = d.Decode(into)
	} else if err = json.Unmarshal(r.body, into); err != nil {
		err = json.Unmarshal(plainSpaces(r.body), into)
	}
	if err != nil {
		return failure(codeInvalid, "Invalid request"), false
	}
	return Answer{}, true
}

// plainSpaces makes spaces of the no-break spaces outside strings. They are no
// JSON, but the published sample of retrieve has them, and the samples are to
// be accepted byte for byte.
func plainSpaces(body []byte) []byte {
	plain := make([]byte, 0, len(body))
	inString := false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\' && i+1 < len(body):
			plain = append(plain, c, body[i+1])
			i++
			continue
		case c == '"':
			inString = !inString
		case !inString && bytes.HasPrefix(body[i:], []byte("\u00a0")):
			plain = append(plain, ' ')
			i++
			continue
		}
		plain = append(plain, body[i])
	}
	return plain
}
