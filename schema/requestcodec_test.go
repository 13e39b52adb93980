package schema_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
)

const usual = `{"payoutId":"order-1042-seller-77","merchant":"default","purpose":"SETTLEMENT",
 "recipient":{"type":"IBAN","value":"TR330006100519786457841326","name":"Ayşe Yılmaz"},
 "amount":{"value":"100.50","currency":"TRY"},"description":"Order 1042","metadata":{"orderId":"1042"}}`

// rules know the merchants default and bazaar.
func rules(mode schema.CheckDigits) *schema.Rules {
	return &schema.Rules{CheckDigits: mode, Merchant: func(name string) (schema.MerchantRules, bool) {
		m, ok := map[string]schema.MerchantRules{"default": {Purpose: "SETTLEMENT"}, "bazaar": {Purpose: "GOODS"}}[name]
		return m, ok
	}}
}

// binary makes a message of key, value, key, value… headers.
func binary(value string, headers ...string) schema.Message {
	m := schema.Message{Key: []byte("k"), Value: []byte(value)}
	for i := 0; i < len(headers); i += 2 {
		m.Headers = append(m.Headers, schema.Header{Key: headers[i], Value: []byte(headers[i+1])})
	}
	return m
}

func structured(value string) schema.Message {
	return binary(value, "content-type", "application/cloudevents+json; charset=UTF-8")
}

func TestDecodeRequestModes(t *testing.T) {
	t.Parallel()
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	moment := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	attributes := `"specversion":"1.0","id":"e-1","source":"/shop","type":"payout.requested.v1","time":"2026-01-31T13:00:00+03:00","traceparent":"` + trace + `"`
	encoded := base64.StdEncoding.EncodeToString([]byte(usual))
	full := schema.Event{Request: *goldenRequest(), ID: "e-1", Time: moment, TraceParent: trace}
	ce := []string{"ce_specversion", "1.0", "ce_id", "e-1", "ce_source", "/shop", "ce_type", "payout.requested.v1", "ce_time", "2026-01-31T10:00:00Z"}
	with := func(more ...string) []string { return append(slices.Clone(ce), more...) }

	for name, tt := range map[string]struct {
		m    schema.Message
		want schema.Event
	}{
		"binary":                {binary(usual, with("content-type", "application/json", "ce_traceparent", trace)...), full},
		"binary, charset":       {binary(usual, with("content-type", "application/json; charset=utf-8", "ce_traceparent", trace)...), full},
		"binary, no media type": {binary(usual, with("traceparent", trace, "ce_dataschema", "/x", "other", "y")...), full},
		"structured":            {structured("{" + attributes + `,"data":` + usual + "}"), full},
		"structured, data first": {
			structured(`{"data":` + usual + `,"datacontenttype":"application/json","extension":{"a":[1,2]},` + attributes + "}"), full,
		},
		"structured, base64":  {structured("{" + attributes + `,"data_base64":"` + encoded + `"}`), full},
		"structured, no more": {binary("{"+attributes+`,"data":`+usual+"}", "Content-Type", "application/cloudevents+json"), full},
		"bare":                {binary(usual), schema.Event{Request: *goldenRequest()}},
		"bare, media type":    {binary(usual, "content-type", "text/plain"), schema.Event{Request: *goldenRequest()}},
		"no id, no time":      {binary(usual, "ce_specversion", "1.0", "ce_type", "payout.requested.v1"), schema.Event{Request: *goldenRequest()}},
		"broken trace":        {binary(usual, with("ce_traceparent", trace[:54]+"X")...), schema.Event{Request: *goldenRequest(), ID: "e-1", Time: moment}},
		"broken time": {
			binary(usual, "ce_specversion", "1.0", "ce_id", "e-1", "ce_type", "payout.requested.v1", "ce_time", "yesterday"),
			schema.Event{Request: *goldenRequest(), ID: "e-1", Warnings: []string{"time is not RFC 3339 and is ignored"}},
		},
	} {
		got, err := schema.DecodeRequest(tt.m, rules(schema.CheckStrict))
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v, event (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestDecodeRequestRefusesWholeRecords(t *testing.T) {
	t.Parallel()
	ce := func(typ, spec string) []string { return []string{"ce_type", typ, "ce_specversion", spec, "ce_id", "1"} }
	const attributes = `{"specversion":"1.0","id":"1","source":"s","type":"payout.requested.v1"`
	for name, tt := range map[string]struct {
		m    schema.Message
		code string
		says string
	}{
		"tombstone":           {schema.Message{Key: []byte("k")}, "empty", "no value"},
		"empty":               {binary(""), "empty", "no value"},
		"blanks":              {binary(" \n"), "empty", "only blanks"},
		"text":                {binary("hello"), "not_json", "byte 0"},
		"cut off":             {binary(usual[:100]), "not_json", "ends"},
		"more after":          {binary(usual + "x"), "not_json", "follows"},
		"two at once":         {binary(usual + usual), "not_json", "follows"},
		"id twice":            {binary(strings.Replace(usual, `{`, `{"payoutId":"a",`, 1)), "not_json", "twice"},
		"id twice, escaped":   {binary(strings.Replace(usual, `{`, `{"payout\u0049d":"a",`, 1)), "not_json", "twice"},
		"unknown twice":       {binary(strings.Replace(usual, `{`, `{"x":1,"x":1,`, 1)), "not_json", "twice"},
		"metadata twice":      {binary(strings.Replace(usual, `"1042"}}`, `"1042","orderId":1}}`, 1)), "not_json", "twice"},
		"amount twice":        {binary(strings.Replace(usual, `"currency"`, `"value":"1","currency"`, 1)), "not_json", "twice"},
		"comma":               {binary(strings.Replace(usual, `"1042"}}`, `"1042",}}`, 1)), "not_json", "comma"},
		"comments":            {binary("/* a */" + usual), "not_json", "byte 0"},
		"byte order mark":     {binary("\ufeff" + usual), "not_json", "byte 0"},
		"broken UTF-8":        {binary(strings.Replace(usual, "ş", "\xc5", 1)), "not_json", "UTF-8"},
		"Latin-5":             {binary(strings.Replace(usual, "ş", "\xfe", 1)), "not_json", "UTF-8"},
		"broken unknown":      {binary(strings.Replace(usual, `{`, `{"x":"`+"\xff"+`",`, 1)), "not_json", "UTF-8"},
		"half a pair":         {binary(strings.Replace(usual, "ş", `\ud83d`, 1)), "not_json", "backslash"},
		"line break":          {binary(strings.Replace(usual, "ş", "\n", 1)), "not_json", "control"},
		"deep":                {binary(`{"x":` + strings.Repeat("[", 1000)), "not_json", "deep"},
		"leading zero":        {binary(strings.Replace(usual, `"100.50"`, "0100.50", 1)), "not_json", "expected"},
		"NaN":                 {binary(strings.Replace(usual, `"100.50"`, "NaN", 1)), "not_json", "expected"},
		"too large":           {binary(strings.Replace(usual, `{`, `{"x":"`+strings.Repeat("y", 64<<10)+`",`, 1)), "request_too_large", "64 KiB"},
		"too large inside":    {structured(attributes + `,"data":{"x":"` + strings.Repeat("y", 64<<10) + `"}}`), "request_too_large", "64 KiB"},
		"too large base64":    {structured(attributes + `,"data_base64":"` + base64.StdEncoding.EncodeToString([]byte(`{"x":"`+strings.Repeat("y", 64<<10)+`"}`)) + `"}`), "request_too_large", "64 KiB"},
		"too large outside":   {structured(attributes + `,"x":"` + strings.Repeat("y", 128<<10) + `"}`), "request_too_large", "64 KiB"},
		"other type":          {binary(usual, ce("payout.paid.v1", "1.0")...), "not_cloudevent", "type must be payout.requested.v1"},
		"next version":        {binary(usual, ce("payout.requested.v2", "1.0")...), "not_cloudevent", "type"},
		"old CloudEvents":     {binary(usual, ce("payout.requested.v1", "0.3")...), "not_cloudevent", "specversion"},
		"both wrong":          {binary(usual, ce("x", "x")...), "not_cloudevent", `specversion must be "1.0"; type must`},
		"no type":             {binary(usual, "ce_id", "1"), "not_cloudevent", "type"},
		"Avro":                {binary(usual, append(ce("payout.requested.v1", "1.0"), "content-type", "application/avro")...), "not_cloudevent", "content-type"},
		"long id":             {binary(usual, "ce_type", "payout.requested.v1", "ce_specversion", "1.0", "ce_id", strings.Repeat("1", 256)), "not_cloudevent", "id must"},
		"broken id":           {binary(usual, "ce_type", "payout.requested.v1", "ce_specversion", "1.0", "ce_id", "\xff"), "not_cloudevent", "id must"},
		"batch of events":     {binary("["+usual+"]", "content-type", "application/cloudevents-batch+json"), "not_cloudevent", "one event"},
		"structured Avro":     {binary(usual, "content-type", "application/cloudevents+avro"), "not_cloudevent", "cloudevents+json"},
		"structured, no data": {structured(attributes + `}`), "not_cloudevent", "data"},
		"two datas":           {structured(attributes + `,"data":{},"data_base64":"e30="}`), "not_cloudevent", "either"},
		"id is a number":      {structured(`{"specversion":"1.0","id":1,"type":"payout.requested.v1","data":` + usual + `}`), "not_cloudevent", "id must be a text"},
		"not base64":          {structured(attributes + `,"data_base64":"?"}`), "not_json", "base64"},
		"header forgotten":    {binary(attributes + `,"data":` + usual + `}`), "not_cloudevent", "application/cloudevents+json"},
		"array":               {binary("[1]"), "invalid_request", "must be a JSON object"},
		"null":                {binary("null"), "invalid_request", "must be a JSON object"},
	} {
		_, err := schema.DecodeRequest(tt.m, rules(schema.CheckWarn))
		var bad *schema.Invalid
		if !errors.As(err, &bad) || bad.Code != tt.code || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: error %v, want %s that says %q", name, err, tt.code, tt.says)
		} else if bad.PayoutID != "" {
			t.Errorf("%s: payout id %q of a record that cannot be trusted", name, bad.PayoutID)
		}
	}
}

func TestDecodeRequestFields(t *testing.T) {
	t.Parallel()
	name255 := strings.Repeat("ş", 255)
	iban := func(v string) string { return strings.Replace(usual, "TR330006100519786457841326", v, 1) }
	to := func(typ, value string) string {
		return fmt.Sprintf(`{"payoutId":"a","recipient":{"type":%q,"value":%q},"amount":{"value":"1","currency":"TRY"}}`, typ, value)
	}
	amount := func(v string) string { return strings.Replace(usual, `"100.50"`, v, 1) }
	id := func(v string) string { return strings.Replace(usual, "order-1042-seller-77", v, 1) }
	swap := func(old, with string) string { return strings.Replace(usual, old, with, 1) }
	const metaField = `{"orderId":"1042"}`

	for name, tt := range map[string]struct {
		value string
		wants string // the field complained about; "" for none
	}{
		"usual":                     {usual, ""},
		"id of 64":                  {id(strings.Repeat("a", 64)), ""},
		"id of all signs":           {id("aZ09._:-"), ""},
		"id of 65":                  {id(strings.Repeat("a", 65)), "payoutId"},
		"id empty":                  {id(""), "payoutId"},
		"id with blank":             {id("a b"), "payoutId"},
		"id with slash":             {id("a/b"), "payoutId"},
		"id Turkish":                {id("sipariş"), "payoutId"},
		"id number":                 {swap(`"order-1042-seller-77"`, "1042"), "payoutId"},
		"id null":                   {swap(`"order-1042-seller-77"`, "null"), "payoutId"},
		"id in another case":        {swap(`"payoutId"`, `"payoutid"`), "payoutId"},
		"no merchant":               {swap(`"merchant":"default",`, ""), ""},
		"merchant null":             {swap(`"merchant":"default"`, `"merchant":null`), ""},
		"merchant empty":            {swap(`"merchant":"default"`, `"merchant":""`), "merchant"},
		"merchant other":            {swap(`"merchant":"default"`, `"merchant":"bazaar"`), ""},
		"merchant unknown":          {swap(`"merchant":"default"`, `"merchant":"circus"`), "merchant"},
		"merchant long":             {swap(`"merchant":"default"`, `"merchant":"`+strings.Repeat("a", 65)+`"`), "merchant"},
		"merchant number":           {swap(`"merchant":"default"`, `"merchant":1`), "merchant"},
		"purpose null":              {swap(`"SETTLEMENT"`, `null`), ""},
		"purpose unknown":           {swap(`SETTLEMENT`, `PARTY`), "purpose"},
		"purpose small":             {swap(`SETTLEMENT`, `settlement`), "purpose"},
		"purpose empty":             {swap(`SETTLEMENT`, ``), "purpose"},
		"amount number":             {amount("100.5"), ""},
		"amount whole number":       {amount("100"), ""},
		"amount many zeros":         {amount(`"100.50000000"`), ""},
		"amount 1e400":              {amount("1e400"), "amount.value"},
		"amount 1E2":                {amount("1E2"), "amount.value"},
		"amount text 1e2":           {amount(`"1e2"`), "amount.value"},
		"amount -5":                 {amount("-5"), "amount.value"},
		"amount text -5":            {amount(`"-5"`), "amount.value"},
		"amount 1.234":              {amount("1.234"), "amount.value"},
		"amount text 1.234":         {amount(`"1.234"`), "amount.value"},
		"amount 0":                  {amount("0"), "amount.value"},
		"amount 0.00":               {amount(`"0.00"`), "amount.value"},
		"amount comma":              {amount(`"100,50"`), "amount.value"},
		"amount empty":              {amount(`""`), "amount.value"},
		"amount bool":               {amount("true"), "amount.value"},
		"amount largest":            {amount(`"1000000000000.00"`), ""},
		"amount too large":          {amount(`"1000000000000.01"`), "amount.value"},
		"amount beyond int64":       {amount(strings.Repeat("9", 60)), "amount.value"},
		"amount is text":            {swap(`{"value":"100.50","currency":"TRY"}`, `"100.50 TRY"`), "amount"},
		"amount missing":            {swap(`"amount":{"value":"100.50","currency":"TRY"},`, ``), "amount"},
		"amount null":               {swap(`{"value":"100.50","currency":"TRY"}`, `null`), "amount"},
		"amount value missing":      {swap(`"value":"100.50",`, ``), "amount.value"},
		"currency missing":          {swap(`,"currency":"TRY"`, ``), "amount.currency"},
		"currency small":            {swap(`"TRY"`, `"try"`), "amount.currency"},
		"currency gold":             {swap(`"TRY"`, `"XAU"`), "amount.currency"},
		"currency EUR":              {swap(`"TRY"`, `"EUR"`), ""},
		"recipient missing":         {`{"payoutId":"a","amount":{"value":"1","currency":"TRY"}}`, "recipient"},
		"recipient text":            {`{"payoutId":"a","recipient":"x","amount":{"value":"1","currency":"TRY"}}`, "recipient"},
		"type missing":              {swap(`"type":"IBAN",`, ``), "recipient.type"},
		"type unknown":              {swap(`"IBAN"`, `"PIGEON"`), "recipient.type"},
		"type small":                {swap(`"IBAN"`, `"iban"`), "recipient.type"},
		"value missing":             {swap(`"value":"TR330006100519786457841326",`, ``), "recipient.value"},
		"value number":              {swap(`"TR330006100519786457841326"`, `1`), "recipient.value"},
		"IBAN with blanks":          {iban(`TR33 0006 1005\u00a01978 6457 8413 26`), ""},
		"IBAN small":                {iban("tr330006100519786457841326"), ""},
		"IBAN of 25":                {iban("TR33000610051978645784132"), "recipient.value"},
		"IBAN of 27":                {iban("TR3300061005197864578413260"), "recipient.value"},
		"IBAN with O":               {iban("TR33OOO6100519786457841326"), "recipient.value"},
		"IBAN empty":                {iban(""), "recipient.value"},
		"IBAN with dotless i":       {iban("ıR330006100519786457841326"), "recipient.value"},
		"IBAN German":               {iban("DE89370400440532013000"), ""},
		"IBAN British":              {iban("GB29NWBK60161331926819"), ""},
		"IBAN of 14":                {iban("NO938601111794"), "recipient.value"},
		"IBAN of 35":                {iban("MT84MALT011000012345MTLCAST001S1234"), "recipient.value"},
		"IBAN with dash":            {iban("DE89-3704-0044-0532-0130-00"), "recipient.value"},
		"IBAN check digits letters": {iban("DEAB370400440532013000"), "recipient.value"},
		"name missing":              {swap(`,"name":"Ayşe Yılmaz"`, ``), "recipient.name"},
		"name blank":                {swap(`Ayşe Yılmaz`, `  `), "recipient.name"},
		"name null":                 {swap(`"Ayşe Yılmaz"`, `null`), "recipient.name"},
		"name number":               {swap(`"Ayşe Yılmaz"`, `1`), "recipient.name"},
		"name of 255":               {swap(`Ayşe Yılmaz`, name255), ""},
		"name of 256":               {swap(`Ayşe Yılmaz`, name255+"a"), "recipient.name"},
		"name with tab":             {swap(`Ayşe Yılmaz`, `Ayşe\tYılmaz`), "recipient.name"},
		"name with C1":              {swap(`Ayşe Yılmaz`, `Ayşe\u0085Yılmaz`), "recipient.name"},
		"description of 255":        {swap("Order 1042", name255), ""},
		"description of 256":        {swap("Order 1042", name255+"a"), "description"},
		"description with line":     {swap("Order 1042", `Order\n1042`), "description"},
		"description missing":       {swap(`"description":"Order 1042",`, ``), ""},
		"description object":        {swap(`"Order 1042"`, `{}`), "description"},
		"member":                    {to("MEMBER_ID", "2228853"), ""},
		"member of 19":              {to("MEMBER_ID", strings.Repeat("9", 19)), ""},
		"member of 20":              {to("MEMBER_ID", strings.Repeat("9", 20)), "recipient.value"},
		"member letters":            {to("MEMBER_ID", "22A"), "recipient.value"},
		"member empty":              {to("MEMBER_ID", " "), "recipient.value"},
		"identity":                  {to("IDENTITY_NUMBER", "10000000146"), ""},
		"identity with blanks":      {to("IDENTITY_NUMBER", "100 000 001 46"), ""},
		"identity of 10":            {to("IDENTITY_NUMBER", "2222222817"), "recipient.value"},
		"identity from 0":           {to("IDENTITY_NUMBER", "00000000146"), "recipient.value"},
		"phone":                     {to("PHONE", "+90 (555) 555-55-55"), ""},
		"phone without +":           {to("PHONE", "905555555555"), "recipient.value"},
		"phone short":               {to("PHONE", "+90555555555"), "recipient.value"},
		"phone abroad":              {to("PHONE", "+4915112345678"), "recipient.value"},
		"phone letters":             {to("PHONE", "+90555555555a"), "recipient.value"},
		"metadata missing":          {swap(`,"metadata":`+metaField, ``), ""},
		"metadata empty":            {swap(metaField, `{ }`), ""},
		"metadata null":             {swap(metaField, `null`), ""},
		"metadata text":             {swap(metaField, `"a"`), "metadata"},
		"metadata array":            {swap(metaField, `[]`), "metadata"},
		"metadata of 2 KiB":         {swap(metaField, `{ "a" : "`+strings.Repeat("x", 2048-8)+`"`+strings.Repeat(" ", 100)+`}`), ""},
		"metadata over 2 KiB":       {swap(metaField, `{"a":"`+strings.Repeat("x", 2048-7)+`"}`), "metadata"},
		"unknown fields":            {swap(`{`, `{"new":{"deep":[1,true,null,-2.5e-3]},"other":"x",`), ""},
	} {
		_, err := schema.DecodeRequest(binary(tt.value), rules(schema.CheckWarn))
		var bad *schema.Invalid
		switch {
		case tt.wants == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.wants == "":
		case !errors.As(err, &bad) || len(bad.Problems) != 1 || bad.Problems[0].Field != tt.wants:
			t.Errorf("%s: error %v, want one about %s", name, err, tt.wants)
		}
	}
}

func TestDecodeRequestTellsEveryMistakeAtOnce(t *testing.T) {
	t.Parallel()
	const value = `{"payoutId":"a","merchant":"circus","purpose":"PARTY","recipient":{"type":"IBAN","value":"TR1","name":1},
		"amount":{"value":"-1","currency":"XAU"},"description":"a\tb","metadata":{"k": "v"}}`
	_, err := schema.DecodeRequest(binary(value), rules(schema.CheckWarn))
	var bad *schema.Invalid
	if !errors.As(err, &bad) {
		t.Fatal(err)
	}
	var fields []string
	for _, p := range bad.Problems {
		fields = append(fields, p.Field)
		if p.Text == "" || !strings.Contains(err.Error(), p.Text) {
			t.Errorf("%s: %q is not in the error", p.Field, p.Text)
		}
	}
	slices.Sort(fields)
	want := []string{"amount.currency", "amount.value", "description", "merchant", "purpose", "recipient.name", "recipient.value"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if strings.Contains(err.Error(), "\n") || bad.Code != schema.CodeInvalid {
		t.Errorf("code %s, error %v", bad.Code, err)
	}
	if bad.PayoutID != "a" || bad.Merchant != "circus" || string(bad.Metadata) != `{"k":"v"}` {
		t.Errorf("for a refusal: %q %q %s", bad.PayoutID, bad.Merchant, bad.Metadata)
	}
	if r := bad.Reason(); r.Code != bad.Code || !strings.HasPrefix(r.Text, "recipient.name must be") {
		t.Errorf("reason %+v", r)
	}
	_, err = schema.DecodeRequest(binary(`{}`), rules(""))
	if got, want := fmt.Sprint(err), `invalid_request: payoutId is missing`; !strings.HasPrefix(got, want) {
		t.Errorf("error %s, want %s…", got, want)
	}
}

func TestDecodeRequestUnknownMerchantHasACodeOfItsOwn(t *testing.T) {
	t.Parallel()
	_, err := schema.DecodeRequest(binary(strings.Replace(usual, `"default"`, `"circus"`, 1)), rules(""))
	var bad *schema.Invalid
	if !errors.As(err, &bad) || bad.Code != schema.CodeUnknownMerchant {
		t.Fatalf("error %v", err)
	}
}

func TestDecodeRequestDefaults(t *testing.T) {
	t.Parallel()
	const value = `{"payoutId":"a",%s"recipient":{"type":"MEMBER_ID","value":"1"},"amount":{"value":"1","currency":"TRY"}}`
	for more, want := range map[string][2]string{
		``:                       {"default", "SETTLEMENT"},
		`"merchant":"bazaar",`:   {"bazaar", "GOODS"},
		`"purpose":"DONATIONS",`: {"default", "DONATIONS"},
	} {
		ev, err := schema.DecodeRequest(binary(fmt.Sprintf(value, more)), rules(""))
		if got := [2]string{ev.Request.Merchant, ev.Request.Purpose}; got != want || err != nil {
			t.Errorf("%s: %v, %v; want %v", more, got, err, want)
		}
	}
	ev, err := schema.DecodeRequest(binary(fmt.Sprintf(value, `"merchant":"any",`)), nil)
	if ev.Request.Merchant != "any" || err != nil {
		t.Errorf("without rules: %q, %v", ev.Request.Merchant, err)
	}
}

func TestDecodeRequestNormalises(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ typ, in, want string }{
		{"IBAN", " tr33 0006 1005 1978 6457 8413 26", "TR330006100519786457841326"},
		{"PHONE", "+90 (555) 555-55-55", "+905555555555"},
		{"IDENTITY_NUMBER", "100 000 001 46", "10000000146"},
		{"MEMBER_ID", " 222 8853 ", "2228853"},
	} {
		value := fmt.Sprintf(`{"payoutId":"a","recipient":{"type":%q,"value":%q,"name":"A"},"amount":{"value":"1","currency":"TRY"},"metadata":{ "a" : "b \"c\" d" , "e":[ 1 ]}}`, tt.typ, tt.in)
		ev, err := schema.DecodeRequest(binary(value), rules(""))
		if got := ev.Request.Recipient.Value.Reveal(); got != tt.want || err != nil {
			t.Errorf("%s %q is %q, %v; want %q", tt.typ, tt.in, got, err, tt.want)
		}
		if got, want := string(ev.Request.Metadata), `{"a":"b \"c\" d","e":[1]}`; got != want {
			t.Errorf("metadata %s, want %s", got, want)
		}
	}
}

func TestCheckDigits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		typ, value string
		right      bool
	}{
		{"IBAN", "TR330006100519786457841326", true},
		{"IBAN", "TR470000100100000350930001", true}, // the central bank's worked example
		{"IBAN", "TR390086400000000000000001", true},
		{"IBAN", "TR920086402100005482986178", true}, // iyzico's page of init, in English
		{"IBAN", "DE89370400440532013000", true},
		{"IBAN", "GB29NWBK60161331926819", true},
		{"IBAN", "TR920086402100005482911108", false}, // iyzico's sample of init
		{"IBAN", "TR920086402100005111981111", false}, // iyzico's sample of retrieve
		{"IBAN", "TR330006100519786457841362", false}, // two digits exchanged
		{"IDENTITY_NUMBER", "10000000146", true},
		{"IDENTITY_NUMBER", "12345678950", true},
		{"IDENTITY_NUMBER", "98765432150", true},
		{"IDENTITY_NUMBER", "22222222220", true},  // iyzico's sample
		{"IDENTITY_NUMBER", "74300864791", false}, // a sample of iyzico's clients
		{"IDENTITY_NUMBER", "11111111111", false},
	} {
		value := fmt.Sprintf(`{"payoutId":"a","recipient":{"type":%q,"value":%q,"name":"A"},"amount":{"value":"1","currency":"TRY"}}`, tt.typ, tt.value)
		for mode, want := range map[schema.CheckDigits]struct{ ok, warned bool }{
			schema.CheckStrict: {tt.right, false},
			schema.CheckWarn:   {true, !tt.right},
			"":                 {true, !tt.right},
			schema.CheckOff:    {true, false},
			"mistyped":         {tt.right, false},
		} {
			ev, err := schema.DecodeRequest(binary(value), rules(mode))
			if (err == nil) != want.ok || (len(ev.Warnings) > 0) != want.warned {
				t.Errorf("%s in mode %q: error %v, warnings %q; right is %v", tt.value, mode, err, ev.Warnings, tt.right)
			}
			if said := fmt.Sprint(err, ev.Warnings); strings.Contains(said, tt.value) {
				t.Errorf("the value is repeated: %s", said)
			}
		}
	}
}

// The items of the request on iyzico's own page, as an order system would
// write them, are taken as they are.
func TestIyzicoSamplesAreAccepted(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("testdata/iyzico-init-sample.json")
	if err != nil {
		t.Fatal(err)
	}
	var sample struct {
		Purpose string `json:"purpose"`
		Items   []struct {
			ItemExternalID string          `json:"itemExternalId"`
			RecipientType  string          `json:"recipientType"`
			RecipientInfo  string          `json:"recipientInfo"`
			Amount         json.RawMessage `json:"amount"`
			Description    *string         `json:"description"`
			RecipientName  *string         `json:"recipientName"`
		} `json:"items"`
	}
	if err := json.Unmarshal(page, &sample); err != nil {
		t.Fatal(err)
	}
	warned := 0
	for _, it := range sample.Items {
		b, err := json.Marshal(map[string]any{
			"payoutId": it.ItemExternalID, "purpose": sample.Purpose, "amount": it.Amount, "description": it.Description,
			"recipient": map[string]any{"type": it.RecipientType, "value": it.RecipientInfo, "name": it.RecipientName},
		})
		if err != nil {
			t.Fatal(err)
		}
		ev, err := schema.DecodeRequest(binary(string(b)), rules(""))
		if err != nil || ev.Request.Recipient.Value.Reveal() != it.RecipientInfo {
			t.Errorf("%s: %v", it.ItemExternalID, err)
		}
		warned += len(ev.Warnings)
	}
	if len(sample.Items) != 4 || warned != 1 {
		t.Errorf("%d items, %d warnings; want 4 and 1", len(sample.Items), warned)
	}
}

var personal = regexp.MustCompile(`1326|Secret|98765`)

// However wrong a request is, its refusal says nothing about a person.
func TestInvalidNeverEchoes(t *testing.T) {
	t.Parallel()
	const value = `{"payoutId":"Secret 1326","merchant":"default","purpose":"Secret","recipient":{"type":"Secret","value":"Secret1326","name":"Secret\tName"},
		"amount":{"value":"98765x","currency":"Secret"},"description":"Secret\n","metadata":"Secret"}`
	for i := range len(value) {
		for _, v := range []string{value, value[:i], value[:i] + "\xff" + value[i:], value[:i] + value[min(i+1, len(value)):]} {
			if _, err := schema.DecodeRequest(binary(v), rules("strict")); err == nil || personal.MatchString(err.Error()) {
				t.Fatalf("error %v", err)
			}
		}
	}
}

// A request of a few bytes in a large record must not keep the record alive;
// what is read of it must be the same.
func TestDecodeRequestLargeRecord(t *testing.T) {
	t.Parallel()
	value := strings.Replace(usual, `{`, `{"x":"`+strings.Repeat("y", 60<<10)+`",`, 1)
	ev, err := schema.DecodeRequest(binary(value), rules(""))
	if diff := cmp.Diff(*goldenRequest(), ev.Request); diff != "" || err != nil {
		t.Errorf("error %v, request (-want +got):\n%s", err, diff)
	}
}

// An object of thousands of names is no attack on the search for equal ones.
func TestManyNames(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{`)
	for i := range 5000 {
		fmt.Fprintf(&b, `"%d":0,`, i)
	}
	value := b.String() + usual[1:]
	if _, err := schema.DecodeRequest(binary(value), rules("")); err != nil {
		t.Error(err)
	}
	if _, err := schema.DecodeRequest(binary(`{"4999":0,`+value[1:]), rules("")); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("error %v, want one about a name twice", err)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(usual), "", "")
	f.Add([]byte(usual), "application/json", "payout.requested.v1")
	f.Add([]byte(`{"specversion":"1.0","id":"1","type":"payout.requested.v1","data":`+usual+`}`), "application/cloudevents+json", "")
	f.Add([]byte(`{"specversion":"1.0","id":"1","type":"payout.requested.v1","data_base64":"e30="}`), "application/cloudevents+json", "")
	f.Add([]byte(`{"payoutId":"\ud83d\ude00","amount":{"value":1e400}}`), "", "")
	f.Fuzz(func(t *testing.T, value []byte, media, typ string) {
		m := schema.Message{Value: value, Headers: []schema.Header{{Key: "content-type", Value: []byte(media)}}}
		if typ != "" {
			m.Headers = append(m.Headers, schema.Header{Key: "ce_type", Value: []byte(typ)}, schema.Header{Key: "ce_specversion", Value: []byte("1.0")})
		}
		before := bytes.Clone(value)
		ev, err := schema.DecodeRequest(m, rules("strict"))
		if !bytes.Equal(before, value) {
			t.Fatal("the value was changed")
		}
		if err != nil {
			var bad *schema.Invalid
			if !errors.As(err, &bad) || bad.Code == "" || len(bad.Problems) == 0 {
				t.Fatalf("error %#v does not say what is wrong", err)
			}
			if bad.PayoutID != "" && !schema.ValidPayoutID(bad.PayoutID) {
				t.Fatalf("payout id %q", bad.PayoutID)
			}
			return
		}
		if !json.Valid(value) {
			t.Fatal("read what encoding/json does not take for JSON")
		}
		again, err := schema.DecodeRequest(schema.EncodeRequest(&ev.Request, "1", at), rules("strict"))
		if diff := cmp.Diff(ev.Request, again.Request); diff != "" || err != nil {
			t.Fatalf("error %v, not the same after another turn:\n%s", err, diff)
		}
		p := &schema.Plan{Merchant: ev.Request.Merchant, Purpose: ev.Request.Purpose, Currency: ev.Request.Amount.Currency, Items: []schema.PlanItem{{
			PayoutID: ev.Request.PayoutID, Recipient: ev.Request.Recipient, Minor: ev.Request.Amount.Minor,
			Description: ev.Request.Description, Metadata: ev.Request.Metadata, EventID: ev.ID, TraceParent: ev.TraceParent,
		}}}
		p.ID = schema.PlanID(p)
		b, err := schema.EncodePlan(p)
		if err != nil {
			t.Fatalf("an accepted request has no place in a plan: %v", err)
		}
		back, err := schema.DecodePlan(b)
		if err != nil {
			t.Fatalf("a plan of an accepted request cannot be read: %v", err)
		}
		if diff := cmp.Diff(ev.Request, back.Plan.Request(0)); diff != "" {
			t.Fatalf("another request came out of the plan:\n%s", diff)
		}
	})
}

func BenchmarkDecodeRequest(b *testing.B) {
	m := schema.EncodeRequest(goldenRequest(), "e-1", at)
	r := rules("")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schema.DecodeRequest(m, r); err != nil {
			b.Fatal(err)
		}
	}
}
