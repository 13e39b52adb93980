package iyzico

import "net/http"

// DecodeReport reads an answer of retrieve as Client.Retrieve does.
func DecodeReport(body []byte) (Report, error) {
	report := Report{Page: -1, Size: -1, Total: -1}
	_, err := decode(body, func(s *scanner, key []byte) { report.read(s, key, 1000) })
	return report, err
}

// Scan reads any JSON text to its end.
func Scan(text []byte) error {
	s := &scanner{data: text}
	s.skip()
	s.end()
	return s.err
}

// ScanString reads a JSON string.
func ScanString(text []byte) (string, error) {
	s := &scanner{data: text}
	got := s.text()
	s.end()
	return got, s.err
}

// Sanitise makes message fit for a log, given what is private.
func Sanitise(message string, private ...Private) string {
	return sanitise(message, newPrivateWords(private...))
}

// EncodeInit returns the body Client.Init sends.
func EncodeInit(r InitRequest) ([]byte, error) { return r.encode() }

// Transport returns what the client sends its requests by.
func (c *Client) Transport() *http.Transport { return c.http.Transport.(*http.Transport) }
