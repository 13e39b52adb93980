package app_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico"
)

// Money that moved at iyzico behind the journal's back is found, in the name of an
// attempt that the journal never made.
func TestAuditOfTransfersNobodyAskedFor(t *testing.T) {
	t.Parallel()
	s := paidAndPaused(t)
	client, err := iyzico.New(iyzico.Config{
		BaseURL: s.env["TOPLU_IYZICO_BASEURL"], APIKey: iyzico.Secret(s.env["TOPLU_MERCHANTS_DEFAULT_APIKEY"]),
		SecretKey: iyzico.Secret(s.env["TOPLU_MERCHANTS_DEFAULT_SECRETKEY"]), Timeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	answer, err := client.Init(t.Context(), iyzico.InitRequest{ExternalID: s.batchOf(t, "a-1") + "-2", Items: []iyzico.InitItem{{
		ExternalID: "a-1", RecipientType: "PHONE", Recipient: "+905350000000", Amount: 1000, Currency: "TRY",
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Auth(t.Context(), answer.RequestID); err != nil {
		t.Fatal(err)
	}
	s.until(t, func(result) bool {
		v, _ := s.audit(t, "--iyzico")
		return v.Differences == 1 && v.Listed[0].Where == "iyzico" && v.Listed[0].PayoutID == "a-1"
	}, "audit", "--iyzico")
	s.differs(t, 1, "iyzico", "PAID TWICE", "--iyzico")
}

// What iyzico's reports say otherwise than the plan and the journal is found.
func TestAuditOfOtherReports(t *testing.T) {
	t.Parallel()
	s := paidAndPaused(t)
	target, err := url.Parse(s.env["TOPLU_IYZICO_BASEURL"])
	if err != nil {
		t.Fatal(err)
	}
	var old, instead []byte
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(res *http.Response) error {
			body, err := io.ReadAll(res.Body)
			if err != nil {
				return err
			}
			body = bytes.ReplaceAll(body, old, instead)
			res.Body = io.NopCloser(bytes.NewReader(body))
			res.Header.Set("Content-Length", strconv.Itoa(len(body)))
			res.ContentLength = int64(len(body))
			return nil
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	s.env["TOPLU_IYZICO_BASEURL"] = server.URL
	if v, r := s.audit(t, "--iyzico"); !v.Agrees {
		t.Fatalf("%s", r.out)
	}
	old, instead = []byte(`"itemExternalId":"a-2"`), []byte(`"itemExternalId":"x-9"`)
	v, r := s.audit(t, "--iyzico")
	if v.Agrees {
		t.Errorf("another item: %s", r.out)
	}
	old, instead = []byte(`10.00`), []byte(`10.01`)
	s.differs(t, 4, "iyzico", "iyzico has 10.01, the plan 10.00 TRY", "--iyzico")
	old, instead = []byte(`"SUCCESS"`), []byte(`"FAILED"`)
	v, r = s.audit(t, "--iyzico")
	if v.Agrees {
		t.Errorf("failed instead of success: %s", r.out)
	}
}
