package iyzico_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico"
)

func TestDecodeReportQuirks(t *testing.T) {
	t.Parallel()
	empty := iyzico.Report{Page: -1, Size: -1, Total: -1}
	with := func(change func(*iyzico.Report)) iyzico.Report {
		r := empty
		change(&r)
		return r
	}
	oneItem := func(item iyzico.Item) iyzico.Report {
		return with(func(r *iyzico.Report) { r.Items = []iyzico.Item{item} })
	}
	oneItemJSON := func(fields string) string { return `{"massPayoutItems":{"items":[{` + fields + `}]}}` }

	for _, tt := range []struct {
		name, body string
		want       iyzico.Report
	}{
		{"nothing", `{"status":"success"}`, empty},
		{"nulls", `{"massPayout":null,"massPayoutItems":null,"page":null,"total":null}`, empty},
		{"items null", `{"massPayoutItems":{"items":null}}`, empty},
		{"items empty", `{"massPayoutItems":{"items":[],"total":0}}`, with(func(r *iyzico.Report) { r.Total = 0 })},
		{"batch without fields", `{"massPayout":{}}`, with(func(r *iyzico.Report) { r.Found = true })},
		{
			"paging beside the items", `{"massPayoutItems":{"items":[{}]},"page":2,"size":40,"total":81}`,
			with(func(r *iyzico.Report) { r.Items, r.Page, r.Size, r.Total = []iyzico.Item{{}}, 2, 40, 81 }),
		},
		{
			"paging among the items", `{"massPayoutItems":{"page":"2","size":40,"items":[{}],"total":081}}`,
			with(func(r *iyzico.Report) { r.Items, r.Page, r.Size, r.Total = []iyzico.Item{{}}, 2, 40, 81 }),
		},
		{"items without an object", `{"massPayoutItems":[{}]}`, with(func(r *iyzico.Report) { r.Items = []iyzico.Item{{}} })},
		{
			"merchantId with leading zeros", `{"massPayout":{"merchantId":000000,"externalId":"e","merchantId":-007,"x":00.50e01}}`,
			with(func(r *iyzico.Report) { r.Found, r.Batch.ExternalID = true, "e" }),
		},
		{
			"digits inside strings are left alone", `{"massPayout":{"externalId":"\"merchantId\": 000000, 007"}}`,
			with(func(r *iyzico.Report) { r.Found, r.Batch.ExternalID = true, `"merchantId": 000000, 007` }),
		},
		{
			"amounts of every form", `{"massPayout":{"totalAmount":201.00,"totalSuccessfulAmount":"100.5","totalCommissionAmount":0E-8,"currencyCode":"USD"}}`,
			with(func(r *iyzico.Report) {
				r.Found, r.Batch = true, iyzico.Batch{Total: 201_00, TotalSuccessful: 100_50, Currency: iyzico.USD}
			}),
		},
		{
			"odd total commission", `{"massPayout":{"totalCommissionAmount":1.25625000}}`,
			with(func(r *iyzico.Report) { r.Found, r.Batch.OddCommission = true, "1.25625000" }),
		},
		{"odd commission", oneItemJSON(`"commissionAmount":"0.12345678","totalAmount":1`), oneItem(iyzico.Item{OddCommission: "0.12345678", Amount: 100})},
		{"commission null", oneItemJSON(`"commissionAmount":null,"totalAmount":null`), oneItem(iyzico.Item{})},
		{"words of tomorrow", oneItemJSON(`"itemStatus":"ON_HOLD","recipientType":"EMAIL","currency":"GBP"`), oneItem(iyzico.Item{Status: "ON_HOLD", RecipientType: "EMAIL", Currency: "GBP"})},
		{"requestId of the Java SDK", oneItemJSON(`"massPayoutRequestId":"r-1"`), oneItem(iyzico.Item{RequestID: "r-1"})},
		{"number for an id", oneItemJSON(`"itemExternalId":1042,"referenceCode":null`), oneItem(iyzico.Item{ExternalID: "1042"})},
		{"errorMessages", oneItemJSON(`"errorMessages":["a","b"]`), oneItem(iyzico.Item{Errors: []string{"a", "b"}})},
		{"errorMessages null", oneItemJSON(`"errorMessages":null`), oneItem(iyzico.Item{})},
		{"errorMessages as one", oneItemJSON(`"errorMessages":"a"`), oneItem(iyzico.Item{Errors: []string{"a"}})},
		{"errorMessages with others among them", oneItemJSON(`"errorMessages":[null,{"x":[1]},"a",true,["b"],""]`), oneItem(iyzico.Item{Errors: []string{"a"}})},
		{"errorMessage", oneItemJSON(`"errorMessage":"a"`), oneItem(iyzico.Item{Errors: []string{"a"}})},
		{"errorMessage beside an empty list", oneItemJSON(`"errorMessages":[],"errorMessage":"a"`), oneItem(iyzico.Item{Errors: []string{"a"}})},
		{
			"messages that quote, before what they quote", oneItemJSON(`"errorMessages":["AYSE 2228853 TR470000100100000350930001"],"recipientInfo":"2228853","recipientName":"Ayşe"`),
			oneItem(iyzico.Item{Recipient: "2228853", RecipientName: "Ayşe", Errors: []string{"*** *** ***"}}),
		},
		{"escapes", oneItemJSON(`"item\u0045xternalId":"a\u015f\ud83d\ude00\/\n","description":"\u00fc"`), oneItem(iyzico.Item{ExternalID: "aş😀/\n", Description: "ü"})},
		{"unknown fields of every kind", `{"a":{"b":[1,"x",true,false,null,{}]},"massPayoutItems":{"items":[{"y":{},"itemExternalId":"p","z":[[]]}],"w":1}}`, oneItem(iyzico.Item{ExternalID: "p"})},
		{"keys are case-sensitive", oneItemJSON(`"ITEMSTATUS":"SUCCESS","itemStatus":"INIT","itemstatus":"SUCCESS"`), oneItem(iyzico.Item{Status: iyzico.ItemInit})},
		{"no-break spaces", "{\u00a0\"page\"\u00a0:\n\u00a0 1\u00a0}\u00a0", with(func(r *iyzico.Report) { r.Page = 1 })},
	} {
		got, err := iyzico.DecodeReport([]byte(tt.body))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestDecodeReportRefuses(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `{`, `}`, `null`, `{}}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1 2]}`,
		`{"a":nul}`, `{"a":tru}`, `{"a":-}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":+1}`, `{"a":0x1}`, `{"a":NaN}`, `{'a':1}`,
		`{"a":"x}`, `{"a":"\x"}`, `{"a":"\`, "{\"a\":\"\n\"}", "{\"a\":1\x00}", "\xef\xbb\xbf{}", "{\xc2}",
		`{"massPayout":[]}`, `{"massPayout":"x"}`, `{"massPayout":{"totalAmount":0.001}}`, `{"massPayout":{"totalAmount":1e2}}`,
		`{"massPayout":{"totalAmount":true}}`, `{"massPayout":{"totalAmount":""}}`, `{"massPayout":{"totalAmount":99999999999999999999}}`,
		`{"massPayout":{"totalCommissionAmount":"about 3"}}`,
		`{"massPayoutItems":{"items":{}}}`, `{"massPayoutItems":{"items":[[]]}}`, `{"massPayoutItems":{"items":["x"]}}`,
		`{"total":1.5}`, `{"total":"x"}`, `{"total":99999999999999999999}`, `{"massPayoutItems":{"items":[{"itemStatus":true}]}}`,
	} {
		if got, err := iyzico.DecodeReport([]byte(body)); err == nil {
			t.Errorf("%q is read as %+v", body, got)
		}
	}
}

func TestInitAnswerQuirks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		invalid string
		want    []iyzico.InvalidItem
	}{
		"absent":         {``, nil},
		"null":           {`,"invalidItems":null`, nil},
		"empty":          {`,"invalidItems":[]`, nil},
		"externalId":     {`,"invalidItems":[{"externalId":"ext-65656","errorCode":"11","errorMessage":"no"}]`, []iyzico.InvalidItem{{"ext-65656", "11", "no"}}},
		"itemExternalId": {`,"invalidItems":[{"itemExternalId":"ext-65656","errorCode":11}]`, []iyzico.InvalidItem{{"ext-65656", "11", ""}}},
		"both":           {`,"invalidItems":[{"itemExternalId":"ext-65656","externalId":null}]`, []iyzico.InvalidItem{{ExternalID: "ext-65656"}}},
		"quoting":        {`,"invalidItems":[{"externalId":"ext-65656","errorMessage":"John Doe, TR920086402100005482911108"}]`, []iyzico.InvalidItem{{"ext-65656", "", "*** ***, ***"}}},
	} {
		server := answering(t, 200, `{"status":"success","requestId":"r-1"`+tt.invalid+`}`)
		got, err := newClient(t, server.URL).Init(t.Context(), sampleInit())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(iyzico.InitAnswer{RequestID: "r-1", Invalid: tt.want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBalanceForms(t *testing.T) {
	t.Parallel()
	for balance, want := range map[string]iyzico.Money{`"25399393.5"`: 25399393_50, `100`: 100_00, `0.00`: 0, `"0E-8"`: 0, `-5`: -5_00} {
		server := answering(t, 200, `{"status":"success","balance":`+balance+`}`)
		if got, err := newClient(t, server.URL).Balance(t.Context()); err != nil || got != want {
			t.Errorf("balance %s is %s, %v, want %s", balance, got, err, want)
		}
	}
}

// The reader takes what encoding/json takes, and beyond it only numbers that
// begin with zeros and no-break spaces.
func FuzzScan(f *testing.F) {
	for _, text := range []string{`{}`, `[]`, `{"a":[1,"\u00e7\n",{"b":null}],"c":-0.5e+3}`, `000000`, "\u00a01", `"\ud800"`, "\"\xff\"", `[[[[]]]]`, `tru`, `1 2`} {
		f.Add([]byte(text))
	}
	leadingZero := regexp.MustCompile(`0[0-9]`)
	f.Fuzz(func(t *testing.T, text []byte) {
		err := iyzico.Scan(text)
		valid := json.Valid(text)
		switch {
		case valid && err != nil && bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) <= 64:
			t.Fatalf("%q is refused: %v", text, err)
		case !valid && err == nil && !leadingZero.Match(text) && !bytes.Contains(text, []byte("\u00a0")):
			t.Fatalf("%q is taken", text)
		}
		if err != nil {
			return
		}
		var want string
		if json.Unmarshal(text, &want) == nil && bytes.ContainsRune(text, '"') {
			if got, err := iyzico.ScanString(text); err != nil || got != want {
				t.Fatalf("%q is read as %q, %v, want %q", text, got, err, want)
			}
		}
	})
}

// No answer makes the reader panic, and what it reads is what encoding/json
// reads of it.
func FuzzDecodeReport(f *testing.F) {
	f.Add(readFile(f, "retrieve_answer.json"))
	f.Add(reportOf(3))
	f.Add([]byte(`{"massPayoutItems":{"items":[{"itemExternalId":"p","totalAmount":"1.5"}]},"total":1}`))
	f.Add([]byte(`{"massPayoutItems":{"items":[{"errorMessages":["TR470000100100000350930001"]}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := iyzico.DecodeReport(body)
		if err != nil {
			return
		}
		for _, item := range got.Items {
			for _, text := range item.Errors {
				if utf8.RuneCountInString(text) > 200 || regexp.MustCompile(`[0-9]{8}`).MatchString(text) {
					t.Fatalf("message %q", text)
				}
			}
		}

		var want struct {
			MassPayoutItems struct {
				Items []struct {
					ItemExternalID *string `json:"itemExternalId"`
					ItemStatus     *string `json:"itemStatus"`
					RecipientInfo  *string `json:"recipientInfo"`
				} `json:"items"`
			} `json:"massPayoutItems"`
		}
		if differs(body) || json.Unmarshal(body, &want) != nil {
			return
		}
		if len(want.MassPayoutItems.Items) != len(got.Items) {
			t.Fatalf("%d items, want %d", len(got.Items), len(want.MassPayoutItems.Items))
		}
		for i, item := range want.MassPayoutItems.Items {
			for _, pair := range []struct {
				want *string
				got  string
			}{
				{item.ItemExternalID, got.Items[i].ExternalID},
				{item.ItemStatus, string(got.Items[i].Status)},
				{item.RecipientInfo, got.Items[i].Recipient.Reveal()},
			} {
				if pair.want != nil && *pair.want != pair.got {
					t.Fatalf("item %d has %q, want %q", i, pair.got, *pair.want)
				}
			}
		}
	})
}

// differs says that body has a key twice, or in other capitals: encoding/json
// merges those, and this reader does not.
func differs(body []byte) bool {
	lower := bytes.ToLower(body)
	for _, key := range []string{"massPayoutItems", "items"} {
		if n := bytes.Count(lower, []byte(`"`+strings.ToLower(key)+`"`)); n != 1 || !bytes.Contains(body, []byte(`"`+key+`"`)) {
			return true
		}
	}
	for part := range bytes.SplitSeq(lower, []byte("}")) {
		for _, key := range []string{"itemExternalId", "itemStatus", "recipientInfo"} {
			if bytes.Count(part, []byte(strings.ToLower(key))) > bytes.Count(body, []byte(key)) ||
				bytes.Count(part, []byte(strings.ToLower(key))) > 1 {
				return true
			}
		}
	}
	return bytes.Contains(body, []byte(`\u`)) || !utf8.Valid(body) || bytes.ContainsAny(body, "ſK")
}

// reportOf is an answer with n items.
func reportOf(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"status":"success","systemTime":1759155442830,"massPayout":{"externalId":"massPayoutId-323","merchantId":000000,` +
		`"totalAmount":201.00,"totalSuccessfulAmount":0,"massPayoutStatus":"PUBLISHED_TO_QUEUE","totalCommissionAmount":0,"currency":"TRY"},` +
		`"massPayoutItems":{"items":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"itemExternalId":"order-%d-seller-77","referenceCode":"a97b142a-1e22-4ceb-bafb-%012d","recipientType":"IBAN",`+
			`"recipientInfo":"TR330006100519786457841326","recipientName":"Ayşe Yılmaz","description":"Payment for services",`+
			`"itemStatus":"SUCCESS","errorMessages":[],"totalAmount":100.50,"commissionAmount":20.00000000,"currencyCode":"TRY"}`, i, i)
	}
	fmt.Fprintf(&b, `],"page":0,"size":%d,"total":%d}}`, n, n)
	return b.Bytes()
}

func BenchmarkDecodeReport(b *testing.B) {
	body := reportOf(1000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if report, err := iyzico.DecodeReport(body); err != nil || len(report.Items) != 1000 {
			b.Fatal(len(report.Items), err)
		}
	}
}

func BenchmarkEncodeInit(b *testing.B) {
	r := iyzico.InitRequest{ExternalID: "b-1", Items: make([]iyzico.InitItem, 1000)}
	for i := range r.Items {
		r.Items[i] = iyzico.InitItem{
			ExternalID: fmt.Sprintf("order-%d", i), RecipientType: iyzico.RecipientIBAN, Recipient: "TR330006100519786457841326",
			RecipientName: "Ayşe Yılmaz", Amount: 100_50, Currency: iyzico.TRY, Description: "Payment for services",
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := iyzico.EncodeInit(r); err != nil {
			b.Fatal(err)
		}
	}
}
