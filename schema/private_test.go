package schema_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/schema"
)

func TestPrivateHidesFromEveryPrinter(t *testing.T) {
	t.Parallel()
	const secret = "TR330006100519786457841326"
	p := schema.Private(secret)
	to := schema.Recipient{Type: schema.IBAN, Value: p, Name: p}
	request := schema.Request{PayoutID: "a", Recipient: to, Description: p}
	plan := schema.Plan{Items: []schema.PlanItem{{Recipient: to, Description: p}}}
	var out bytes.Buffer
	for verb := rune('a'); verb <= 'z'; verb++ {
		if verb == 'p' || verb == 'w' {
			continue // misuse of which fmt complains with the text itself; vet refuses both
		}
		for _, flag := range []string{"", "+", "#", " ", "30", "-.5"} {
			for _, v := range []string{string(verb), strings.ToUpper(string(verb))} {
				fmt.Fprintf(&out, "%"+flag+v+"\n", p)
				fmt.Fprintf(&out, "%"+flag+v+"\n", to)
				fmt.Fprintf(&out, "%"+flag+v+"\n", &request)
				fmt.Fprintf(&out, "%"+flag+v+"\n", []schema.Plan{plan})
				fmt.Fprintf(&out, "%"+flag+v+"\n", map[schema.Private]int{p: 1})
			}
		}
	}
	fmt.Fprintln(&out, p, to, request, plan, errors.New(p.String()))

	for _, v := range []any{p, &p, to, request, plan, []schema.Private{p}, map[string]schema.Private{"": p}} {
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := xml.NewEncoder(&out).Encode([]schema.Private{p}); err != nil {
		t.Fatal(err)
	}
	log := zerolog.New(&out)
	log.Info().Stringer("a", p).Any("b", p).Interface("c", request).
		Interface("d", plan).Str("e", fmt.Sprint(p)).Fields(map[string]any{"f": p, "g": to}).Msgf("%v", to)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "a", p, "b", to)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "a", p, "b", to)

	printed := strings.ToLower(out.String())
	for _, leak := range []string{secret, fmt.Sprintf("%x", secret), "841326"} {
		if strings.Contains(printed, strings.ToLower(leak)) {
			t.Errorf("printed: %s", leak)
		}
	}
	if p.Reveal() != secret {
		t.Error("Reveal does not")
	}
}

func TestPrivateMask(t *testing.T) {
	t.Parallel()
	for in, want := range map[schema.Private]string{
		"": "***", "Ayşe": "***", "12345678901": "***", "TR330006100519786457841326": "TR33***1326",
	} {
		if got := in.Mask(); got != want {
			t.Errorf("Mask of %d characters = %s, want %s", len(in.Reveal()), got, want)
		}
	}
}
