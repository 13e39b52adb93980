package config

import (
	"fmt"
	"slices"
	"strings"
)

// A Problem is one mistake in a configuration.
type Problem struct {
	Key     string `json:"key"`
	Value   string `json:"value,omitempty"`   // as written; "***" where it is or may hold a secret
	Where   string `json:"where,omitempty"`   // file:line, or env NAME
	Reason  string `json:"reason"`            // what is wrong
	Allowed string `json:"allowed,omitempty"` // what would be right

	line int // in the file, 0 if it is not there
}

// String is the problem in one line.
func (p Problem) String() string {
	var b strings.Builder
	if p.Where != "" {
		b.WriteString(p.Where + ": ")
	}
	b.WriteString(p.Key)
	if p.Value != "" {
		fmt.Fprintf(&b, " %q", p.Value)
	}
	b.WriteString(" " + p.Reason)
	if p.Allowed != "" {
		b.WriteString("; allowed: " + p.Allowed)
	}
	return b.String()
}

// An InvalidError is the error of a configuration that was read and has mistakes, all
// of them.
type InvalidError struct {
	Problems []Problem
}

// Error lists every problem, one a line.
func (e *InvalidError) Error() string {
	var b strings.Builder
	b.WriteString("configuration: 1 mistake")
	if n := len(e.Problems); n != 1 {
		b.Reset()
		fmt.Fprintf(&b, "configuration: %d mistakes", n)
	}
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// sortProblems brings problems into the order of the file, those that are not
// in it last.
func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		switch {
		case a.line == 0 || b.line == 0:
			return b.line - a.line
		default:
			return a.line - b.line
		}
	})
}
