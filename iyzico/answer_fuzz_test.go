package iyzico_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/toplu/toplu/iyzico"
)

// An answer is an iyzico that gives everyone the same answer, without a network.
type answer struct {
	status int
	body   []byte
}

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(bytes.NewReader(a.body)), Header: http.Header{}, Request: r}, nil
}

func (a answer) client(t *testing.T) *iyzico.Client {
	t.Helper()
	return newClient(t, "https://iyzico.test", func(c *iyzico.Config) { c.HTTPClient = &http.Client{Transport: a} })
}

// judge holds what the end of a call proves against what encoding/json reads of
// the answer: only success is success, only failure is a refusal, and nothing else
// proves anything. It reports whether the rest can be compared.
func (a answer) judge(t *testing.T, err error) bool {
	t.Helper()
	var want struct {
		Status string `json:"status"`
	}
	plain := bytes.Count(bytes.ToLower(a.body), []byte(`"status"`)) == 1 && bytes.Contains(a.body, []byte(`"status"`)) && !bytes.Contains(a.body, []byte(`\u`)) && utf8.Valid(a.body) && !bytes.ContainsAny(a.body, "ſK")
	valid := json.Unmarshal(a.body, &want) == nil && plain
	var failed *iyzico.Error
	switch {
	case err == nil && (300 <= a.status && a.status <= 399 || valid && want.Status != "success"):
		t.Fatalf("HTTP %d %q is taken for success", a.status, a.body)
	case err == nil:
		return valid
	case !errors.As(err, &failed):
		t.Fatalf("%T %v", err, err)
	case failed.Outcome != iyzico.OutcomeUnknown && failed.Outcome != iyzico.OutcomeRefused:
		t.Fatalf("HTTP %d %q proves %v", a.status, a.body, failed.Outcome)
	case failed.Outcome == iyzico.OutcomeRefused && valid && want.Status != "failure":
		t.Fatalf("%q is taken for a refusal", a.body)
	case utf8.RuneCountInString(failed.Message) > 200:
		t.Fatalf("message %q", failed.Message)
	}
	return false
}

// No answer to init makes the client panic or believe what it does not say: a
// batch is known only by a success with its requestId.
func FuzzInitAnswer(f *testing.F) {
	f.Add(200, []byte(`{"status":"success","requestId":"r-1","conversationId":"c","invalidItems":[{"externalId":"a","errorCode":"SIM1","errorMessage":"no"}]}`))
	f.Add(400, []byte(`{"status":"failure","errorCode":11,"errorGroup":"G","errorMessage":"bad TR330006100519786457841326"}`))
	f.Add(429, []byte(`{"status":"failure","errorCode":50000,"errorMessage":"Request Limit Exceeded","locale":"en"}`))
	f.Add(200, []byte(`{"requestId":"r-1","invalidItems":null,"status":"success","systemTime":000000}`))
	f.Add(200, []byte(`{"status":"success","requestId":""}`))
	f.Add(307, []byte(`{"status":"success","requestId":"r-1"}`))
	f.Add(503, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := answer{status, body}
		got, err := a.client(t).Init(t.Context(), sampleInit())
		same := a.judge(t, err)
		if err != nil {
			return
		}
		if got.RequestID == "" {
			t.Fatalf("%q is a batch without a name", body)
		}
		for _, it := range got.Invalid {
			if utf8.RuneCountInString(it.Message) > 200 || strings.Contains(it.Message, sampleInit().Items[0].Recipient.Reveal()) {
				t.Fatalf("message %q", it.Message)
			}
		}
		var want struct {
			RequestID *string           `json:"requestId"`
			Invalid   []json.RawMessage `json:"invalidItems"`
		}
		if lower := bytes.ToLower(body); same && json.Unmarshal(body, &want) == nil && bytes.Count(lower, []byte(`"requestid"`)) == 1 && bytes.Count(lower, []byte(`"invaliditems"`)) < 2 &&
			bytes.Contains(body, []byte(`"requestId"`)) && bytes.Contains(body, []byte(`"invalidItems"`)) {
			if want.RequestID != nil && *want.RequestID != got.RequestID || len(want.Invalid) != len(got.Invalid) {
				t.Fatalf("%q is read as %+v", body, got)
			}
		}
	})
}

// No answer for a single item makes the client panic or believe what it does not
// say. What it tells is what becomes a requestId that was lost.
func FuzzItemAnswer(f *testing.F) {
	f.Add(200, []byte(`{"status":"success","item":{"itemExternalId":"e","referenceCode":"c","massPayoutRequestId":"r-1","itemStatus":"INIT","totalAmount":100,"commissionAmount":20,"currencyCode":"TRY","errorMessages":[]}}`))
	f.Add(200, []byte(`{"status":"success","item":null}`))
	f.Add(200, []byte(`{"status":"success"}`))
	f.Add(404, []byte(`{"status":"failure","errorCode":"1001","errorMessage":"api bilgileri bulunamadı"}`))
	f.Add(302, []byte(`{"status":"success","item":{}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a := answer{status, body}
		got, err := a.client(t).Item(t.Context(), referenceCode)
		if !a.judge(t, err) {
			return
		}
		var want struct {
			Item struct {
				RequestID *string `json:"massPayoutRequestId"`
			} `json:"item"`
		}
		lower := bytes.ToLower(body)
		if json.Unmarshal(body, &want) != nil || want.Item.RequestID == nil || bytes.Count(lower, []byte(`"item"`)) != 1 || bytes.Count(lower, []byte(`"masspayoutrequestid"`)) != 1 ||
			!bytes.Contains(body, []byte(`"item"`)) || !bytes.Contains(body, []byte(`"massPayoutRequestId"`)) {
			return
		}
		if *want.Item.RequestID != got.RequestID {
			t.Fatalf("%q has requestId %q", body, got.RequestID)
		}
	})
}
