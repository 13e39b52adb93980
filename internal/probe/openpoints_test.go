package probe_test

import (
	"encoding"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// A point is a setting as docs/iyzico-open-points.md has it.
type point struct {
	setting string
	values  []string
	probed  bool
}

// openPoints reads the page's tables: the second column names settings, each
// with its values behind it; the last says whether the probe finds it out.
func openPoints(t *testing.T) (points []point) {
	t.Helper()
	page, err := os.ReadFile("../../docs/iyzico-open-points.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-zA-Z]+)`([^`]*)")
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 {
			continue
		}
		for _, m := range named.FindAllStringSubmatch(cells[1], -1) {
			p := point{setting: m[1], probed: strings.TrimSpace(cells[4]) == "yes"}
			for v := range strings.SplitSeq(m[2], ",") {
				if v = strings.Trim(v, " ;"); v != "" {
					p.values = append(p.values, v)
				}
			}
			points = append(points, p)
		}
	}
	return points
}

// The page has every setting of the simulator with all its values, and no other;
// what it says the probe finds out is tried at every value.
func TestOpenPointsAreTheSimulators(t *testing.T) {
	t.Parallel()
	// These are no open points: how the simulator itself runs.
	own := []string{"-", "balance", "refundAfter", "settleWithin"}
	fields := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[iyzicotest.Settings]()) {
		if name := f.Tag.Get("json"); !slices.Contains(own, name) {
			fields[name] = f.Type
		}
	}
	found := slices.Clone(usual) // by the probe, in its own tests
	for _, w := range worlds {
		for _, want := range w.want {
			found = append(found, strings.Split(want, ", ")...)
		}
	}
	seen := map[string]bool{}
	for _, p := range openPoints(t) {
		field, there := fields[p.setting]
		if !there || seen[p.setting] {
			t.Errorf("%s is on the page twice, or no setting of an open point", p.setting)
			continue
		}
		seen[p.setting] = true
		values := choices(field)
		if values != nil && !slices.Equal(slices.Sorted(slices.Values(values)), slices.Sorted(slices.Values(p.values))) {
			t.Errorf("%s is one of %v, and the page has %v", p.setting, values, p.values)
		}
		for _, v := range values {
			if p.probed && !slices.Contains(found, p.setting+"="+v) {
				t.Errorf("the page says that the probe finds out %s, and no test of it has %s", p.setting, v)
			}
		}
	}
	for name := range fields {
		if !seen[name] {
			t.Errorf("%s is not on the page", name)
		}
	}
}

// choices are the values of a setting that is one of a few; else nil.
func choices(setting reflect.Type) []string {
	if setting.Kind() == reflect.Bool {
		return []string{"false", "true"}
	}
	e, ok := reflect.TypeAssert[encoding.TextUnmarshaler](reflect.New(setting))
	if !ok || setting.Kind() != reflect.String {
		return nil
	}
	_, list, _ := strings.Cut(e.UnmarshalText([]byte("none of them")).Error(), " is none of ")
	return strings.Split(list, ", ")
}
