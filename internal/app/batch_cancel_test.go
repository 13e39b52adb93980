package app_test

import (
	"testing"
	"time"

	"github.com/toplu/toplu/iyzico"
)

// TestBatchCancelReachesIyzico cancels a batch that iyzico has and that is not
// completed: its payouts are answered, and iyzico itself shows it as cancelled.
func TestBatchCancelReachesIyzico(t *testing.T) {
	t.Parallel()
	s := newShift(t, 50*time.Millisecond)
	s.start(t)
	s.run(t, "pause", "--yes").want(t, 0, "", "")
	s.send(t, "a-1")
	s.says(t, "accepted", "explain", "a-1")
	s.until(t, func(result) bool { return s.batches(t)[0].State == "created" }, "batch", "list")
	batch := s.batchOf(t, "a-1")
	at := loose[struct{ RequestID string }](t, s.run(t, "batch", "show", batch, "--json")).RequestID

	bank, err := iyzico.New(iyzico.Config{
		BaseURL: s.env["TOPLU_IYZICO_BASEURL"],
		APIKey:  iyzico.Secret(s.env["TOPLU_MERCHANTS_DEFAULT_APIKEY"]), SecretKey: iyzico.Secret(s.env["TOPLU_MERCHANTS_DEFAULT_SECRETKEY"]),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer bank.CloseIdleConnections()
	shows := func() iyzico.BatchStatus {
		rep, err := bank.Retrieve(t.Context(), iyzico.RetrieveRequest{RequestID: at, ItemType: iyzico.ItemsValid, Size: 1})
		if err != nil || !rep.Found {
			t.Fatalf("iyzico does not know %q: %v", at, err)
		}
		return rep.Batch.Status
	}
	if got := shows(); got != iyzico.BatchInit {
		t.Fatalf("iyzico shows %s before the cancel", got)
	}
	s.run(t, "batch", "cancel", batch, "--yes", "--reason", "sent by mistake").want(t, 0, "counted", "")
	s.says(t, "a-1: cancelled", "explain", "a-1")
	s.says(t, "no open batches", "batch", "list") // it is open until iyzico has shown it
	if got := shows(); got != iyzico.BatchCanceled {
		t.Errorf("iyzico shows %s after the cancel", got)
	}
}
