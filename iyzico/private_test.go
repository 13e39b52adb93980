package iyzico_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/toplu/toplu/iyzico"
)

// Every way to print that is at hand, for values alone and inside others.
func prints(t *testing.T, value any) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		out[verb] = fmt.Sprintf(verb, value)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	out["json"] = string(asJSON)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("message", "value", value)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("message", "value", value)
	out["slog"] = log.String()
	return out
}

func TestPrivateValuesDoNotPrint(t *testing.T) {
	t.Parallel()
	const iban, name, key = "TR330006100519786457841326", "Ayşe Yılmaz", "sandbox-KEY"
	text := func(v interface{ MarshalText() ([]byte, error) }) string {
		got, err := v.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	if got := text(iyzico.Secret(key)) + text(iyzico.Private(iban)); got != "******" {
		t.Errorf("as text: %s", got)
	}
	if got := iyzico.Private(iban).Reveal(); got != iban {
		t.Errorf("Reveal: %s", got)
	}

	values := map[string]any{
		"Secret":  iyzico.Secret(key),
		"Private": iyzico.Private(iban),
		"InitRequest": iyzico.InitRequest{Items: []iyzico.InitItem{
			{Recipient: iban, RecipientName: name, Description: "for " + name},
		}},
		"Report": iyzico.Report{Items: []iyzico.Item{{Recipient: iban, RecipientName: name, Description: name}}},
		"pointer": &struct {
			Key  *iyzico.Secret
			Name map[string]iyzico.Private
		}{new(iyzico.Secret(key)), map[string]iyzico.Private{"name": name}},
	}
	for what, value := range values {
		for way, got := range prints(t, value) {
			for _, secret := range []string{iban, name, "Ayşe", key, fmt.Sprintf("%x", iban), fmt.Sprintf("%X", key)} {
				if strings.Contains(got, secret) {
					t.Errorf("%s printed by %s shows %q: %s", what, way, secret, got)
				}
			}
		}
	}
}

func TestConfigAndClientDoNotPrintKeys(t *testing.T) {
	t.Parallel()
	config := iyzico.Config{BaseURL: iyzico.Sandbox, APIKey: testAPIKey, SecretKey: testSecretKey}
	client := newClient(t, iyzico.Sandbox)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, value := range []any{config, &config, client, *client} {
			got := fmt.Sprintf(verb, value)
			for _, key := range []string{testAPIKey, testSecretKey, fmt.Sprintf("%x", testSecretKey)} {
				if strings.Contains(got, key) {
					t.Errorf("%T printed by %s shows a key", value, verb)
				}
			}
		}
	}
}

func TestSanitise(t *testing.T) {
	t.Parallel()
	private := []iyzico.Private{"TR330006100519786457841326", "2228853", "Ayşe Yılmaz", "İsmail Çağlar Öğüt"}
	for _, tt := range []struct{ name, message, want string }{
		{"nothing to hide", "Geçersiz imza", "Geçersiz imza"},
		{"amounts stay", "Limit 20000.00 TRY aşıldı", "Limit 20000.00 TRY aşıldı"},
		{"an IBAN of somebody else", "IBAN TR470000100100000350930001 gecersiz", "IBAN *** gecersiz"},
		{"in groups", "IBAN TR47 0000 1001 0000 0350 9300 01 gecersiz", "IBAN *** gecersiz"},
		{"with hyphens", "tr47-0000-1001-0000-0350-9300-01", "***"},
		{"without spaces around", "iban:TR470000100100000350930001,gecersiz", "iban:***,gecersiz"},
		{"glued", "xTR470000100100000350930001x", "xTR***x"},
		{"foreign", "GB29NWBK60161331926819", "***"},
		{"foreign in groups", "GB29 NWBK 6016 1331 9268 19", "GB29 NWBK ***"},
		{"identity number", "TCKN 10000000146 bulunamadı", "TCKN *** bulunamadı"},
		{"phone", "tel +90 555 555 55 55 yok", "tel *** yok"},
		{"phone in brackets", "(0555) 555-55-55", "(***"},
		{"other digits", "١٢٣٤٥٦٧٨", "***"},
		{"member id of the request", "Üye 2228853 bulunamadı", "Üye *** bulunamadı"},
		{"name of the request", "Ayşe Yılmaz'ın hesabı kapalı", "*** ***'ın hesabı kapalı"},
		{"name as banks write it", "AYSE YILMAZ / ISMAIL CAGLAR OGUT", "*** *** / *** *** ***"},
		{"name inside a word stays", "Ayşegül", "Ayşegül"},
		{"lines", "a\nb\x00c\u2028d", "a b c d"},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
		{"long", strings.Repeat("ş", 300), strings.Repeat("ş", 200)},
		{"an account across the cut", strings.Repeat("x", 195) + " TR470000100100000350930001", strings.Repeat("x", 195) + " ***"},
	} {
		if got := iyzico.Sanitise(tt.message, private...); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
