package iyzicotest_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func sample(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The samples of iyzico's integration page are accepted byte for byte, its
// IBANs with wrong check digits too, and the answers have the page's fields.
func TestPublishedSamples(t *testing.T) {
	t.Parallel()
	c := newClient(t, iyzicotest.Settings{})
	post := func(path string, body []byte) answer {
		path = "/v1/mass/payout/" + path
		a := c.do("POST", path, "?locale=tr", body, sign(key, secret, path, body))
		if a.json.Status != "success" {
			t.Fatalf("%s: %d %s", path, a.http, a.body)
		}
		return a
	}

	a := post("init", sample(t, "init-request.json"))
	equal(t, "conversationId", a.json.ConversationID, "conversationId-323f")
	if !strings.Contains(string(a.body), `"invalidItems":[]`) {
		t.Errorf("got %s, want no invalid items", a.body)
	}
	replace := func(name, old, id string) []byte {
		return []byte(strings.Replace(string(sample(t, name)), old, id, 1))
	}
	post("auth", replace("auth-request.json", "79cdefc1-3ce6-4f51-bdd9-0c050274db64", a.json.RequestID))

	report := replace("retrieve-request.json", "c95e344a-c7c9-4605-91b8-3f48ee9dece6", a.json.RequestID)
	report = []byte(strings.Replace(string(report), "massPayoutId-323", "massPayoutId-323ddd", 1))
	a = post("retrieve", report)

	// The page writes merchantId as 000000, which is no JSON.
	// It also has no-break spaces.
	page := strings.NewReplacer(": 000000", ": 0", "\u00a0", " ").Replace(string(sample(t, "retrieve-response.json")))
	want := keys(t, []byte(page))
	got := keys(t, a.body)
	for k := range want {
		if !got[k] {
			t.Errorf("the answer has no %s", k)
		}
	}
	for k := range got {
		if !want[k] {
			t.Errorf("the answer has %s, the page does not", k)
		}
	}
}

// keys are the paths of all fields of a JSON value.
func keys(t *testing.T, data []byte) map[string]bool {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		found[path] = true
		switch v := v.(type) {
		case map[string]any:
			for k, inner := range v {
				walk(path+"."+k, inner)
			}
		case []any:
			for _, inner := range v {
				walk(path+"[]", inner)
			}
		}
	}
	walk("", v)
	return found
}

func TestAnswersByteForByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{Fate: fates, Balance: new(iyzicotest.Money(25399393_50)), PageWithRequestID: true})
	r := batch("b", "paid", "quo\"ted", "fäiled")
	r.Items[1].Amount.Value = 0
	for i := range r.Items {
		r.Items[i].RecipientName = "N\\N"
	}
	show := func(op iyzicotest.Op, a iyzicotest.Answer) string {
		text := string(a.AppendJSON(nil, op, "en"))
		if !json.Valid([]byte(text)) {
			t.Errorf("%s: no JSON: %s", op, text)
		}
		return text
	}
	equal(t, "balance", show(iyzicotest.OpBalance, w.Balance(key)),
		`{"status":"success","systemTime":1772355600000,"balance":"25399393.5"}`)

	made := w.Init(key, r)
	equal(t, "init", show(iyzicotest.OpInit, made),
		`{"status":"success","systemTime":1772355600000,"conversationId":"conversation","requestId":"`+made.RequestID+
			`","invalidItems":[{"externalId":"quo\"ted","errorCode":"SIM2003","errorMessage":"amount is invalid"}]}`)
	equal(t, "auth", show(iyzicotest.OpAuth, w.Auth(key, made.RequestID)),
		`{"status":"success","systemTime":1772355600000}`)
	equal(t, "cancel", show(iyzicotest.OpCancel, w.Cancel(key, made.RequestID)),
		`{"status":"failure","errorCode":"SIM1005","errorMessage":"batch can no longer be cancelled","locale":"en","systemTime":1772355600000}`)

	report := w.Retrieve(key, iyzicotest.RetrieveRequest{RequestID: made.RequestID, ItemType: "VALID", Size: 1})
	item := `{"itemExternalId":"paid","referenceCode":"` + report.Items[0].ReferenceCode + `","massPayoutRequestId":"` + made.RequestID +
		`","recipientType":"IBAN","recipientInfo":"TR330006100519786457841326","recipientName":"N\\N","description":"Order",` +
		`"itemStatus":"INIT","errorMessages":[],"totalAmount":100.00,"commissionAmount":20.00000000,"currencyCode":"TRY"}`
	equal(t, "retrieve", show(iyzicotest.OpRetrieve, report),
		`{"status":"success","systemTime":1772355600000,"massPayout":{"externalId":"b","merchantId":1,"totalAmount":200.00,`+
			`"totalSuccessfulAmount":0,"massPayoutStatus":"IN_PROGRESS","totalCommissionAmount":0,"currency":"TRY"},`+
			`"massPayoutItems":{"items":[`+item+`],"page":0,"size":1,"total":2}}`)
	equal(t, "item", show(iyzicotest.OpItem, w.Item(key, report.Items[0].ReferenceCode)),
		`{"status":"success","systemTime":1772355600000,"item":`+item+`}`)
}
