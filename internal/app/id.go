package app

import (
	"crypto/rand"
	"strings"
)

// newID returns a random id of 26 characters that never repeats.
func newID() string { return strings.ToLower(rand.Text()) }
