package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A file is a YAML configuration taken apart: dotted key → what is written.
type file struct {
	base      string           // its name, for "name:line"
	entries   map[string]entry // of known and unknown keys alike
	merchants map[string]int   // name → line, also of those without keys
	problems  []Problem
}

// An entry is one value with its place.
type entry struct {
	texts []string
	list  bool
	line  int
}

// readFile reads the YAML file at path. The error is for a file that cannot be
// read or is no YAML; everything else is a problem.
func readFile(path string) (*file, error) {
	f := &file{base: filepath.Base(path), entries: map[string]entry{}, merchants: map[string]int{}}
	data, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF): // empty: all defaults
		return f, nil
	case err != nil && strings.Contains(err.Error(), "anchor"): // its text would show a secret that begins with "*"
		return nil, fmt.Errorf("configuration: %s is not YAML: a value begins with * or &; put it in quotes", f.base)
	case err != nil:
		return nil, fmt.Errorf("configuration: %s is not YAML: %w", f.base, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		f.problem(1, "(file)", "holds more than one YAML document", "one document")
	}
	switch root := doc.Content[0]; {
	case isNull(root):
	case root.Kind == yaml.MappingNode:
		f.mapping(root, "")
		f.unknownKeys()
	default:
		f.problem(root.Line, "(file)", "is not a list of keys", "sections such as kafka: with keys below them")
	}
	return f, nil
}

// mapping takes the keys below prefix.
func (f *file) mapping(n *yaml.Node, prefix string) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := prefix + k.Value
		if first, twice := seen[name]; twice {
			f.problem(k.Line, name, fmt.Sprintf("is written twice, first in line %d", first), "")
			continue
		}
		seen[name] = k.Line
		if prefix == merchantPrefix {
			f.merchants[k.Value] = k.Line
		}
		f.value(name, v)
	}
}

// value takes what is written at one key, or goes down into a section.
func (f *file) value(name string, v *yaml.Node) {
	row := lookup(name)
	switch v.Kind {
	case yaml.ScalarNode:
		if !isNull(v) {
			f.entries[name] = entry{texts: []string{v.Value}, line: v.Line}
		}
	case yaml.SequenceNode:
		e := entry{texts: []string{}, list: true, line: v.Line}
		for _, item := range v.Content {
			if item.Kind != yaml.ScalarNode || isNull(item) {
				f.problem(item.Line, name, "has an entry that is not a single value", "")
				return
			}
			e.texts = append(e.texts, item.Value)
		}
		f.entries[name] = e
	case yaml.MappingNode:
		if row != nil {
			f.problem(v.Line, name, "is a value, not a section", row.allowed)
			return
		}
		f.mapping(v, name+".")
	case yaml.AliasNode:
		f.problem(v.Line, name, "is a YAML alias, and aliases are not followed", "the value itself")
	case yaml.DocumentNode: // never inside a document
	}
}

// unknownKeys reports what is written and means nothing. The value is not
// shown: it may be a secret in the wrong place.
func (f *file) unknownKeys() {
	for _, name := range slices.Sorted(maps.Keys(f.entries)) {
		if lookup(name) != nil {
			continue
		}
		line := f.entries[name].line
		if below := keysBelow(name); below != "" {
			f.problem(line, name, "is a section, not a value", "a section with "+below)
			continue
		}
		reason := "is not a key that toplu knows"
		if near := nearest(name); near != "" {
			reason += "; did you mean " + near + "?"
		}
		f.problem(line, name, reason, "")
	}
}

// keysBelow lists the last parts of the keys of a section.
func keysBelow(name string) string {
	if rest, ok := strings.CutPrefix(name, merchantPrefix); ok {
		_, below, _ := strings.Cut(rest+".", ".")
		name = strings.TrimSuffix(merchantPrefix+"*."+below, ".")
	}
	var below []string
	for i := range keys {
		if rest, ok := strings.CutPrefix(keys[i].name, name+"."); ok {
			below = append(below, strings.Replace(rest, "*", "<name>", 1))
		}
	}
	return strings.Join(below, ", ")
}

func (f *file) problem(line int, name, reason, allowed string) {
	f.problems = append(f.problems, Problem{Key: name, Where: f.where(line), Reason: reason, Allowed: allowed, line: line})
}

func (f *file) where(line int) string { return fmt.Sprintf("%s:%d", f.base, line) }

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// lookup finds the row of a key as it is written in a file. "apiKeyFile" is in
// the row of apiKey.
func lookup(name string) *key {
	if row := exact(name); row != nil {
		return row
	}
	if plain, ok := strings.CutSuffix(name, "File"); ok {
		if row := exact(plain); row != nil && row.secret {
			return row
		}
	}
	return nil
}

func exact(name string) *key {
	if rest, ok := strings.CutPrefix(name, merchantPrefix); ok {
		if i := strings.Index(rest, "."); i > 0 {
			name = merchantPrefix + "*" + rest[i:]
		}
	}
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}
