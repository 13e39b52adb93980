package tracing

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Read reads the lines of a file of traces.
func Read(r io.Reader) ([]Line, error) {
	var all []Line
	for d := json.NewDecoder(bufio.NewReader(r)); ; {
		var l Line
		switch err := d.Decode(&l); err {
		case nil:
			all = append(all, l)
		case io.EOF:
			return all, nil
		default:
			return nil, fmt.Errorf("span %d: %w", len(all)+1, err)
		}
	}
}

// Tree writes the traces as text, for people: each span under its parent, with
// when it began after its trace's first span and how long it took.
func Tree(w io.Writer, lines []Line) {
	traces := map[string][]Line{}
	for _, l := range lines {
		traces[l.Trace] = append(traces[l.Trace], l)
	}
	order := slices.SortedFunc(maps.Keys(traces), func(a, b string) int { return first(traces[a]).Compare(first(traces[b])) })
	for _, id := range order {
		all := traces[id]
		slices.SortStableFunc(all, func(a, b Line) int { return a.Start.Compare(b.Start) })
		fmt.Fprintf(w, "trace %s\n", id)
		here := map[string]bool{}
		for _, l := range all {
			here[l.Span] = true
		}
		children := map[string][]Line{}
		for _, l := range all {
			parent := l.Parent
			if parent != "" && !here[parent] {
				parent = "" // of whoever sent the request
			}
			children[parent] = append(children[parent], l)
		}
		branch(w, children, "", "", first(all), here)
	}
}

func first(all []Line) time.Time {
	return slices.MinFunc(all, func(a, b Line) int { return a.Start.Compare(b.Start) }).Start
}

func branch(w io.Writer, children map[string][]Line, parent, indent string, zero time.Time, here map[string]bool) {
	for i, l := range children[parent] {
		twig, below := "├─ ", "│  "
		if i == len(children[parent])-1 {
			twig, below = "└─ ", "   "
		}
		var rest []string
		if l.Parent != "" && !here[l.Parent] {
			rest = append(rest, "under "+l.Parent)
		}
		for _, k := range slices.Sorted(maps.Keys(l.Attributes)) {
			if v := fmt.Sprint(l.Attributes[k]); v != "" {
				rest = append(rest, strings.TrimPrefix(k, "toplu.")+"="+v)
			}
		}
		for _, k := range l.Links {
			rest = append(rest, "→ "+k.Trace)
		}
		if l.Failed {
			rest = append(rest, "FAILED "+l.Why)
		}
		name := indent + twig + l.Name
		fmt.Fprintf(w, "%-34s %8s %8s  %s\n", name, "+"+short(l.Start.Sub(zero)), short(l.End.Sub(l.Start)), strings.Join(rest, " "))
		branch(w, children, l.Span, indent+below, zero, here)
	}
}

func short(d time.Duration) string {
	return fmt.Sprintf("%d.%dms", d.Milliseconds(), d.Microseconds()%1000/100)
}
