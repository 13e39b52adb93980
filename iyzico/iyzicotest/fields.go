package iyzicotest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// decodeFields reads a JSON object into the struct dst points to, by the names
// in its json tags, letter for letter. It reports every mistake at once, and
// lists the known keys beside an unknown one.
func decodeFields(data []byte, dst any) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil || object == nil {
		return errors.New("want a JSON object")
	}
	var mistakes []error
	var known []string
	v := reflect.ValueOf(dst).Elem()
	for i, field := range reflect.VisibleFields(v.Type()) {
		key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if key == "-" {
			continue
		}
		known = append(known, key)
		if value, ok := object[key]; ok {
			if err := json.Unmarshal(value, v.Field(i).Addr().Interface()); err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s: %w", key, plain(err, field.Type)))
			}
			delete(object, key)
		}
	}
	if len(object) > 0 {
		unknown := make([]string, 0, len(object))
		for key := range object {
			unknown = append(unknown, key)
		}
		slices.Sort(unknown)
		mistakes = append(mistakes, fmt.Errorf("unknown: %s; known: %s",
			strings.Join(unknown, ", "), strings.Join(known, ", ")))
	}
	return errors.Join(mistakes...)
}

// plain says a type error in the words of the caller instead of Go's.
func plain(err error, want reflect.Type) error {
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("a %s does not do, want %s", wrongType.Value, strings.ToLower(want.Name()))
	}
	return err
}
