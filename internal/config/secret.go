package config

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// hidden is what a [Secret] shows to everything but [Secret.Reveal].
const hidden = "***"

// A Secret is a key or password that cannot print itself: fmt, JSON and logs
// show "***". The zero value is none. It is safe for concurrent use.
type Secret struct {
	// A func and not a text, for fmt asks no unexported field of somebody's
	// struct how to print itself, and cannot look into a func.
	reveal func() string
	file   string // where it was read from; "": not from a file of its own
}

// newSecret checks a secret as it was written.
func newSecret(text string) (Secret, error) {
	switch {
	case text == "":
		return Secret{}, errEmptySecret
	case strings.TrimSpace(text) != text || strings.ContainsAny(text, "\r\n"):
		return Secret{}, errBlankSecret
	}
	return Secret{reveal: func() string { return text }}, nil
}

// IsSet reports whether there is a secret.
func (s Secret) IsSet() bool { return s.reveal != nil }

// Reveal returns the secret itself, "" if there is none. Each call is a place
// to look at.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// Latest returns the secret as its file has it now, so that it can be exchanged
// without a restart. One that did not come from a file of its own is returned
// as it is. The error is for a file that cannot be read or holds no secret, as
// happens while it is being written; it does not show what the file holds.
func (s Secret) Latest() (Secret, error) {
	if s.file == "" {
		return s, nil
	}
	text, err := readSecret(s.file)
	if err != nil {
		return Secret{}, err
	}
	now, err := newSecret(text)
	if err != nil {
		return Secret{}, fmt.Errorf("%s %w", s.file, err)
	}
	now.file = s.file
	return now, nil
}

// readSecret reads a secret from its file; the line end that editors leave is
// not part of it.
func readSecret(path string) (string, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// Format hides the secret from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secret from JSON, YAML and log encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
