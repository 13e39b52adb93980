// Package schematest holds events against the JSON Schemas of package schema, in
// tests of whatever writes or keeps events.
package schematest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/toplu/toplu/schema"
)

// Compile compiles a schema of [schema.Files], formats asserted.
func Compile(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	text, err := schema.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Validator returns a function that holds the data of an event against the
// schema of its type, which is what its ce_type says. It is safe for concurrent
// use.
func Validator(t testing.TB) func(kind string, data []byte) error {
	t.Helper()
	request, cancel := Compile(t, "request.schema.json"), Compile(t, "cancel.schema.json")
	status, refused := Compile(t, "status.schema.json"), Compile(t, "refused.schema.json")
	return func(kind string, data []byte) error {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			return err
		}
		switch {
		case kind == schema.TypeRequested:
			return request.Validate(doc)
		case kind == schema.TypeCancel:
			return cancel.Validate(doc)
		case kind == schema.TypeRefused:
			return refused.Validate(doc)
		case strings.HasPrefix(kind, "payout.") && strings.HasSuffix(kind, ".v1"):
			return status.Validate(doc)
		}
		return fmt.Errorf("no schema for the type %q", kind)
	}
}
