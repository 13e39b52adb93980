package iyzico

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden is what every private value prints as.
const hidden = "***"

// Secret is an API key or a secret key. It cannot print itself: every verb of
// fmt, JSON, text and slog give "***". Only this package reads it, to sign.
type Secret string

// String returns "***".
func (Secret) String() string { return hidden }

// GoString returns "***".
func (Secret) GoString() string { return hidden }

// Format writes "***" whatever the verb, because %x and %q would otherwise
// show the bytes.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalJSON returns "***" as a JSON string.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText returns "***".
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue returns "***".
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Private is a fact about a person: an account, a phone or identity number, a
// name, or free text that may hold one. It cannot print itself, exactly as
// [Secret]; who needs the value says so with [Private.Reveal].
type Private string

// Reveal returns the value itself. Do not log it.
func (p Private) Reveal() string { return string(p) }

// String returns "***".
func (Private) String() string { return hidden }

// GoString returns "***".
func (Private) GoString() string { return hidden }

// Format writes "***" whatever the verb.
func (Private) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalJSON returns "***" as a JSON string. The requests to iyzico are
// written through types of their own.
func (Private) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText returns "***".
func (Private) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue returns "***".
func (Private) LogValue() slog.Value { return slog.StringValue(hidden) }
