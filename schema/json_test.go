package schema_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/toplu/toplu/schema"
)

// Whatever a text holds, other readers see in an event what encoding/json would
// have shown them: what is no UTF-8 as U+FFFD, all else as it is.
func TestTextsAreWrittenAsOthersReadThem(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "plain", `"quoted" \ back`, "tab\tline\r\n\x00\x1f\x7f", "Ayşe Yılmaz", "emoji 😀", "\u2028\u2029",
		"broken \xff end", "\xc5", "a\xf0\x9f\x98", "\ufffd", "<&>",
	} {
		b, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var want string
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		s := goldenStatus()
		s.Reason.Text = text
		m := schema.EncodeStatus(s)
		var data struct {
			Reason struct {
				Text string `json:"text"`
			} `json:"reason"`
		}
		if err := json.Unmarshal(m.Value, &data); err != nil || data.Reason.Text != want {
			t.Errorf("%q is read elsewhere as %q, %v", text, data.Reason.Text, err)
		}
		if got, err := schema.DecodeStatus(m); err != nil || got.Reason.Text != want {
			t.Errorf("%q is read here as %q, %v", text, got.Reason.Text, err)
		}
	}
}

// Every escape of JSON is read as encoding/json reads it; what is none is refused.
func TestTextsAreReadAsOthersWriteThem(t *testing.T) {
	t.Parallel()
	with := func(text string) string {
		return strings.Replace(usual, "Order 1042", text, 1)
	}
	for _, text := range []string{`\"\\\/`, `\u0041\u00e7\u015F`, `\ud83d\ude00`, `a\u0026b`, "😀"} {
		var want string
		if err := json.Unmarshal([]byte(`"`+text+`"`), &want); err != nil {
			t.Fatal(err)
		}
		ev, err := schema.DecodeRequest(binary(with(text)), nil)
		if got := ev.Request.Description.Reveal(); got != want || err != nil {
			t.Errorf("%s is read as %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`\`, `\x`, `\u12`, `\u12g4`, `\u+123`, `\ud83d`, `\ud83dx`, `\ude00\ud83d`, `\ud83d\u0041`} {
		if _, err := schema.DecodeRequest(binary(with(text)), nil); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
	for _, word := range []string{"tru", "falsy", "nul", "None", "+1", "1.", ".5", "1e", "01", "--1", "'a'", "1 2"} {
		if _, err := schema.DecodeRequest(binary(strings.Replace(usual, `{`, `{"x":`+word+`,`, 1)), nil); err == nil {
			t.Errorf("%s was taken for a value", word)
		}
	}
}
