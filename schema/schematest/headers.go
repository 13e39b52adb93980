package schematest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/toplu/toplu/schema"
)

// Headers returns a function that holds the headers of a record against those
// that asyncapi.yaml has for one of its messages, such as "status". A header of
// toplu's or of CloudEvents that is not described there is an error too. A request
// that is bare data, without any header of CloudEvents, lacks none of them.
func Headers(t testing.TB) func(message string, headers []schema.Header) error {
	t.Helper()
	text, err := schema.Files.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("asyncapi.yaml", doc); err != nil {
		t.Fatal(err)
	}
	schemas := map[string]*jsonschema.Schema{}
	for _, message := range []string{"requested", "cancel", "requestedStructured", "cancelStructured", "status", "refused", "deadLetter"} {
		if schemas[message], err = c.Compile("asyncapi.yaml#/components/messages/" + message + "/headers"); err != nil {
			t.Fatal(err)
		}
	}
	return func(message string, headers []schema.Header) error {
		s := schemas[message]
		if s == nil {
			return fmt.Errorf("asyncapi.yaml has no message %q", message)
		}
		described, values, bare := properties(s), map[string]any{}, true
		for _, h := range headers {
			values[h.Key] = string(h.Value)
			bare = bare && !strings.HasPrefix(h.Key, "ce_")
			ours := strings.HasPrefix(h.Key, "toplu-") || strings.HasPrefix(h.Key, "ce_") && message != "deadLetter"
			if ours && !slices.Contains(described, h.Key) {
				return fmt.Errorf("asyncapi.yaml does not describe the header %s of %s", h.Key, message)
			}
		}
		if bare && (message == "requested" || message == "cancel") {
			return nil
		}
		return s.Validate(values)
	}
}

// HeadersOf is the message of asyncapi.yaml that an event of a type, in binary
// mode, is.
func HeadersOf(kind string) string {
	switch kind {
	case schema.TypeRequested:
		return "requested"
	case schema.TypeCancel:
		return "cancel"
	case schema.TypeRefused:
		return "refused"
	}
	return "status"
}

// properties are the names that a schema describes, by itself or by reference.
func properties(s *jsonschema.Schema) (names []string) {
	for ; s != nil; s = s.Ref {
		for name := range s.Properties {
			names = append(names, name)
		}
		for _, part := range s.AllOf {
			names = append(names, properties(part)...)
		}
	}
	return names
}
