package config

import (
	"fmt"
	"io"
)

// hidden is what a [Secret] shows to everything but [Secret.Reveal].
const hidden = "***"

// A Secret is a key or password that cannot print itself: fmt, JSON and logs
// show "***".
type Secret string

// Reveal returns the secret itself. Each call is a place to look at.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// Format hides the secret from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secret from JSON, YAML and log encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
