package iyzicotest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// thousand is the body of an init with a thousand items.
func thousand(b *testing.B, externalID string) []byte {
	b.Helper()
	var ids []string
	for i := range 1000 {
		ids = append(ids, fmt.Sprintf("%s-order-%d", externalID, i))
	}
	r := map[string]any{"externalId": externalID}
	var items []any
	for _, it := range batch(externalID, ids...).Items {
		items = append(items, map[string]any{
			"itemExternalId": it.ItemExternalID, "recipientType": it.RecipientType, "recipientInfo": it.RecipientInfo,
			"amount":      map[string]any{"value": json.Number("100.5"), "currency": "TRY"},
			"description": it.Description, "recipientName": it.RecipientName,
		})
	}
	r["items"] = items
	data, err := json.Marshal(r)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

func benchmarkServer(b *testing.B) func(path string, body []byte) *httptest.ResponseRecorder {
	b.Helper()
	server, err := iyzicotest.NewServer(iyzicotest.Config{
		Merchants: map[string]string{key: secret},
		Settings:  iyzicotest.Settings{DuplicateExternalID: iyzicotest.DuplicateSecond},
	})
	if err != nil {
		b.Fatal(err)
	}
	return func(path string, body []byte) *httptest.ResponseRecorder {
		path = "/v1/mass/payout/" + path
		r := httptest.NewRequestWithContext(b.Context(), "POST", path, bytes.NewReader(body))
		r.Header.Set("Authorization", sign(key, secret, path, body))
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatalf("%s: %s", path, w.Body)
		}
		return w
	}
}

func BenchmarkInit1000(b *testing.B) {
	post, body := benchmarkServer(b), thousand(b, "b")
	b.ReportAllocs()
	for b.Loop() {
		post("init", body)
	}
}

func BenchmarkRetrieve1000(b *testing.B) {
	post := benchmarkServer(b)
	post("init", thousand(b, "b"))
	body := []byte(`{"externalMassPayoutId":"b","itemType":"VALID","page":0,"size":1000}`)
	b.ReportAllocs()
	for b.Loop() {
		post("retrieve", body)
	}
}
