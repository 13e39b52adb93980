package iyzicotest_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	r := batch("b", "0", "1", "2", "3", "4", "5", "6")
	r.Items[2].Amount.Value, r.Items[5].Amount.Value = 0, 0
	requestID := w.Init(key, r).RequestID
	for _, c := range []struct {
		kind       string
		page, size int
		want       []string
		total      int
	}{
		{"VALID", 0, 2, []string{"0", "1"}, 5},
		{"VALID", 1, 2, []string{"3", "4"}, 5},
		{"VALID", 2, 2, []string{"6"}, 5},
		{"VALID", 3, 2, nil, 5},
		{"VALID", 0, 40, []string{"0", "1", "3", "4", "6"}, 5},
		{"INVALID", 0, 1, []string{"2"}, 2},
		{"INVALID", 1, 1, []string{"5"}, 2},
		{"INVALID", 0, 40, []string{"2", "5"}, 2},
		{"", 0, 4, []string{"0", "1", "2", "3"}, 7},
		{"VALID", math.MaxInt, math.MaxInt, nil, 5},
		{"VALID", math.MaxInt, 2, nil, 5},
	} {
		a := w.Retrieve(key, iyzicotest.RetrieveRequest{RequestID: requestID, ItemType: c.kind, Page: c.page, Size: c.size})
		var got []string
		for _, it := range a.Items {
			got = append(got, it.ItemExternalID)
		}
		name := c.kind + " " + strconv.Itoa(c.page) + " of " + strconv.Itoa(c.size)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		equal(t, name+": total", a.Total, c.total)
		equal(t, name+": page", a.Page, c.page)
		equal(t, name+": size", a.Size, c.size)
	}
}

func TestRetrieveRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	requestID := w.init("b", "1")
	for want, r := range map[string]iyzicotest.RetrieveRequest{
		"24 requestId or externalMassPayoutId is mandatory": {Size: 1},
		"11 Invalid request: itemType":                      {RequestID: requestID, ItemType: "ALL", Size: 1},
		"11 Invalid request: page or size":                  {RequestID: requestID, Page: -1, Size: 1},
		"SIM1002 requestId or externalMassPayoutId is unknown": {
			RequestID: requestID, ExternalID: "of another batch", Size: 1,
		},
	} {
		a := w.Retrieve(key, r)
		equal(t, "answer", a.Code+" "+a.Message, want)
	}
	equal(t, "both ids", code(w.Retrieve(key, iyzicotest.RetrieveRequest{RequestID: requestID, ExternalID: "b", Size: 1})), "success")
}

func TestPageOverflow(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.PageOverflow]string{
		iyzicotest.PageOverflowClamp:  "success",
		iyzicotest.PageOverflowRefuse: "SIM1008",
	} {
		w := newWorld(t, iyzicotest.Settings{MaxPageSize: 2, PageOverflow: choice})
		requestID := w.init("b", "1", "2", "3")
		a := w.Retrieve(key, iyzicotest.RetrieveRequest{RequestID: requestID, Size: 3})
		equal(t, string(choice), code(a), want)
		if a.OK() {
			equal(t, "clamped size", a.Size, 2)
			equal(t, "clamped items", len(a.Items), 2)
			equal(t, "total", a.Total, 3)
		}
		equal(t, "a small page", code(w.Retrieve(key, iyzicotest.RetrieveRequest{RequestID: requestID, Size: 2})), "success")
	}
}

func TestRetrievePick(t *testing.T) {
	t.Parallel()
	pick := func(choice iyzicotest.RetrievePick) (picked [2]bool) {
		w := newWorld(t, iyzicotest.Settings{
			RetrievePick: choice, DuplicateExternalID: iyzicotest.DuplicateSecond, PageWithRequestID: true,
		})
		made := [2]string{w.init("b", "1"), w.init("b", "1")}
		for range 20 {
			a := w.Retrieve(key, iyzicotest.RetrieveRequest{ExternalID: "b", Size: 1})
			picked[0] = picked[0] || a.Items[0].RequestID == made[0]
			picked[1] = picked[1] || a.Items[0].RequestID == made[1]
		}
		return picked
	}
	equal(t, "first", pick(iyzicotest.RetrieveFirst), [2]bool{true, false})
	equal(t, "last", pick(iyzicotest.RetrieveLast), [2]bool{false, true})
	equal(t, "any", pick(iyzicotest.RetrieveAny), [2]bool{true, true})
}

func TestItemByReferenceCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	var ids []string
	for i := range 1000 {
		ids = append(ids, strconv.Itoa(i))
	}
	requestID := w.init("b", ids...)
	w.init("another", "x")
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !uuid.MatchString(requestID) {
		t.Errorf("requestId %q is no UUID of version 4", requestID)
	}
	codes := map[string]bool{}
	for _, it := range w.report(requestID).Items {
		if !uuid.MatchString(it.ReferenceCode) || codes[it.ReferenceCode] {
			t.Fatalf("reference code %q is no UUID of version 4, or there twice", it.ReferenceCode)
		}
		codes[it.ReferenceCode] = true
		a := w.Item(key, it.ReferenceCode)
		if !a.OK() || a.Items[0].ItemExternalID != it.ItemExternalID {
			t.Fatalf("item %s is not found by its reference code", it.ItemExternalID)
		}
	}
	one := []byte(w.report(requestID).Items[0].ReferenceCode)
	one[16]++ // neither the batch's digits nor the item's
	for _, unknown := range []string{"", "nonsense", string(one), strings.Repeat("x", 36), requestID, "00000000-0000-4000-8000-000000000000"} {
		equal(t, unknown, code(w.Item(key, unknown)), "SIM1014")
	}
}

func TestWhereTheRequestIDShows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ hideInItem, showInPage bool }{{false, false}, {true, false}, {false, true}} {
		w := newWorld(t, iyzicotest.Settings{ItemWithoutRequestID: c.hideInItem, PageWithRequestID: c.showInPage})
		requestID := w.init("b", "1")
		inPage := w.report(requestID).Items[0]
		inItem := w.Item(key, inPage.ReferenceCode).Items[0]
		equal(t, "in the page", inPage.RequestID == requestID, c.showInPage)
		equal(t, "in the item", inItem.RequestID == requestID, !c.hideInItem)
	}
}

func TestMaskRecipients(t *testing.T) {
	t.Parallel()
	for mask, want := range map[bool]string{false: "TR330006100519786457841326", true: "TR33****1326"} {
		w := newWorld(t, iyzicotest.Settings{MaskRecipients: mask})
		equal(t, "recipient", w.report(w.init("b", "1")).Items[0].RecipientInfo, want)
	}
	w := newWorld(t, iyzicotest.Settings{MaskRecipients: true})
	r := batch("b", "1")
	r.Items[0].RecipientType, r.Items[0].RecipientInfo = "MEMBER_ID", "2228853"
	equal(t, "short recipient", w.report(w.Init(key, r).RequestID).Items[0].RecipientInfo, "****")
}

func TestRetrieveLagFixed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{RetrieveLag: iyzicotest.Duration(time.Minute)})
	byID := iyzicotest.RetrieveRequest{ExternalID: "b", Size: 10}
	requestID := w.init("b", "1")
	equal(t, "young batch by externalId", code(w.Retrieve(key, byID)), "SIM1002")
	equal(t, "young batch by requestId", code(w.Retrieve(key, iyzicotest.RetrieveRequest{RequestID: requestID, Size: 1})), "SIM1002")
	w.wait(time.Minute)
	equal(t, "batch a minute old", w.status(requestID), "INIT")
	reference := w.report(requestID).Items[0].ReferenceCode
	w.auth(requestID)
	w.settle()
	equal(t, "paid, but not to be seen", w.status(requestID), "INIT")
	equal(t, "its item", w.items(requestID)[0], "INIT")
	equal(t, "its item by code", w.Item(key, reference).Items[0].Status.String(), "INIT")
	equal(t, "its total", w.report(requestID).Batch.TotalSuccessfulAmount, 0)
	equal(t, "the truth", w.payments()["1"], 1)
	w.wait(time.Minute - 600*time.Millisecond)
	equal(t, "0.4 s after auth", w.items(requestID)[0], "PROCESSING")
	w.wait(time.Minute)
	equal(t, "in the end", w.status(requestID), "COMPLETED")
	equal(t, "its item in the end", w.items(requestID)[0], "SUCCESS")
}

// A random age shows old and new states in turn; one for each item shows them
// side by side.
func TestRetrieveLagRandom(t *testing.T) {
	t.Parallel()
	for _, mode := range []iyzicotest.LagMode{iyzicotest.LagRandom, iyzicotest.LagPerItem} {
		w := newWorld(t, iyzicotest.Settings{RetrieveLag: iyzicotest.Duration(time.Minute), RetrieveLagMode: mode})
		requestID := w.init("b", "1", "2", "3", "4")
		w.wait(time.Hour)
		w.auth(requestID)
		w.wait(30 * time.Second)
		old, recent, apart := false, false, false
		for range 50 {
			a := w.report(requestID)
			old = old || a.Batch.Status == iyzicotest.BatchInit
			recent = recent || a.Batch.Status == iyzicotest.BatchCompleted
			for _, it := range a.Items {
				apart = apart || it.Status != a.Items[0].Status
			}
		}
		if !old || !recent {
			t.Errorf("%s: old states seen: %t, recent ones: %t, want both", mode, old, recent)
		}
		equal(t, string(mode)+": items apart", apart, mode == iyzicotest.LagPerItem)
	}
}

// TestItemOrder has lines change their places in a report as they move.
func TestItemOrder(t *testing.T) {
	t.Parallel()
	for order, want := range map[iyzicotest.ItemOrder]string{
		iyzicotest.ItemOrderSent:        "1 2 3, 1 2 3, 1 2 3",
		iyzicotest.ItemOrderLastChanged: "1 2 3, 2 1 3, 3 2 1",
	} {
		w := newWorld(t, iyzicotest.Settings{ItemOrder: order})
		requestID := w.init("b", "1", "2", "3")
		var got []string
		for _, d := range []time.Duration{0, 180 * time.Millisecond, time.Second} {
			if d > 0 && len(got) == 1 {
				w.auth(requestID)
			}
			w.wait(d)
			var ids []string
			for _, it := range w.report(requestID).Items {
				ids = append(ids, it.ItemExternalID)
			}
			got = append(got, strings.Join(ids, " "))
		}
		equal(t, string(order), strings.Join(got, ", "), want)
	}
}
