package iyzicotest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

func TestInitAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{})
	r := batch("b", "1", "2")
	r.Items[1].RecipientName = "" // required for an IBAN
	a := w.Init(key, r)
	equal(t, "answer", code(a), "success")
	equal(t, "conversationId", a.ConversationID, "conversation")
	want := []iyzicotest.InvalidItem{{ExternalID: "2", ErrorCode: "SIM2001", ErrorMessage: "a field of the line is missing"}}
	if diff := cmp.Diff(want, a.InvalidItems); diff != "" {
		t.Errorf("invalid items (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"INIT", "INVALID"}, w.items(a.RequestID)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func TestInitRefusesRequest(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*iyzicotest.InitRequest){
		"24 externalId is mandatory":  func(r *iyzicotest.InitRequest) { r.ExternalID = "" },
		"24 items is mandatory":       func(r *iyzicotest.InitRequest) { r.Items = nil },
		"11 Invalid request: purpose": func(r *iyzicotest.InitRequest) { r.Purpose = "FUN" },
	} {
		r := batch("b", "1")
		change(&r)
		a := newWorld(t, iyzicotest.Settings{}).Init(key, r)
		equal(t, "answer", a.Code+" "+a.Message, want)
		equal(t, want+": HTTP", a.HTTPStatus, 400)
	}
}

func TestInitRefusesLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*iyzicotest.InitItem)
		want   string
	}{
		"no id":               {func(l *iyzicotest.InitItem) { l.ItemExternalID = "" }, "SIM2001"},
		"no recipient":        {func(l *iyzicotest.InitItem) { l.RecipientInfo = "" }, "SIM2001"},
		"unknown recipient":   {func(l *iyzicotest.InitItem) { l.RecipientType = "PIGEON" }, "SIM2002"},
		"no amount":           {func(l *iyzicotest.InitItem) { l.Amount.Value = 0 }, "SIM2003"},
		"negative amount":     {func(l *iyzicotest.InitItem) { l.Amount.Value = -1 }, "SIM2003"},
		"unknown currency":    {func(l *iyzicotest.InitItem) { l.Amount.Currency = "GBP" }, "SIM2004"},
		"refused by its fate": {func(l *iyzicotest.InitItem) { l.ItemExternalID = "doomed" }, "SIM2008"},
	} {
		w := newWorld(t, iyzicotest.Settings{Fate: func(id string) iyzicotest.Fate {
			if id == "doomed" {
				return iyzicotest.FateInvalid
			}
			return iyzicotest.FateByDial
		}})
		r := batch("b", "1", "2")
		c.change(&r.Items[0])
		a := w.Init(key, r)
		if !a.OK() || len(a.InvalidItems) != 1 || a.InvalidItems[0].ErrorCode != c.want {
			t.Errorf("%s: got %s %v, want one line refused with %s", name, code(a), a.InvalidItems, c.want)
		}
	}
}

func TestDuplicateExternalID(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.DuplicateExternalID]struct {
		code    string
		same    bool
		batches int
	}{
		iyzicotest.DuplicateReject: {"SIM1001", false, 1},
		iyzicotest.DuplicateReplay: {"success", true, 1},
		iyzicotest.DuplicateSecond: {"success", false, 2},
	} {
		w := newWorld(t, iyzicotest.Settings{DuplicateExternalID: choice})
		first := w.init("b", "1")
		r := batch("b", "1")
		r.ConversationID = "another" // is not content
		a := w.Init(key, r)
		equal(t, string(choice), code(a), want.code)
		equal(t, string(choice)+": same requestId", a.RequestID == first, want.same)
		equal(t, string(choice)+": batches", len(w.Books().Batches), want.batches)
	}
}

func TestDuplicateExternalIDWithOtherContent(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.DuplicateExternalID]string{
		iyzicotest.DuplicateReject: "SIM1012",
		iyzicotest.DuplicateReplay: "success",
		iyzicotest.DuplicateSecond: "success",
	} {
		for name, change := range map[string]func(*iyzicotest.InitRequest){
			"amount":    func(r *iyzicotest.InitRequest) { r.Items[0].Amount.Value++ },
			"recipient": func(r *iyzicotest.InitRequest) { r.Items[0].RecipientInfo += "0" },
			"purpose":   func(r *iyzicotest.InitRequest) { r.Purpose = "" },
			"items":     func(r *iyzicotest.InitRequest) { r.Items = append(r.Items, r.Items[0]) },
		} {
			w := newWorld(t, iyzicotest.Settings{DuplicateOther: choice})
			w.init("b", "1")
			r := batch("b", "1")
			change(&r)
			equal(t, string(choice)+" "+name, code(w.Init(key, r)), want)
		}
	}
}

func TestExternalIDsOfMerchantsAreApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{RepeatedItem: iyzicotest.RepeatedItemInvalid})
	requestID := w.init("b", "1")
	a := w.Init("merchant-b", batch("b", "1"))
	if !a.OK() || len(a.InvalidItems) != 0 {
		t.Errorf("got %s %v, want another merchant's ids to be free", code(a), a.InvalidItems)
	}
	equal(t, "auth by another merchant", code(w.Auth("merchant-b", requestID)), "SIM1002")
	equal(t, "cancel by another merchant", code(w.Cancel("merchant-b", requestID)), "SIM1002")
	equal(t, "report to another merchant", code(w.Retrieve("merchant-b", iyzicotest.RetrieveRequest{RequestID: requestID, Size: 1})), "SIM1002")
	equal(t, "item to another merchant", code(w.Item("merchant-b", w.report(requestID).Items[0].ReferenceCode)), "SIM1014")
}

func TestDuplicateItem(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.DuplicateItem]struct {
		code     string
		invalid  int
		payments int
	}{
		iyzicotest.DuplicateItemInvalid: {"success", 1, 1},
		iyzicotest.DuplicateItemAccept:  {"success", 0, 2},
		iyzicotest.DuplicateItemReject:  {"SIM1011", 0, 0},
	} {
		w := newWorld(t, iyzicotest.Settings{DuplicateItem: choice})
		a := w.Init(key, batch("b", "1", "1"))
		equal(t, string(choice), code(a), want.code)
		equal(t, string(choice)+": invalid", len(a.InvalidItems), want.invalid)
		w.Auth(key, a.RequestID)
		w.settle()
		equal(t, string(choice)+": payments", w.payments()["1"], want.payments)
	}
}

func TestAllInvalid(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.AllInvalid]string{
		iyzicotest.AllInvalidAccept: "success",
		iyzicotest.AllInvalidReject: "SIM1009",
	} {
		w := newWorld(t, iyzicotest.Settings{AllInvalid: choice})
		r := batch("b", "1")
		r.Items[0].Amount.Value = 0
		a := w.Init(key, r)
		equal(t, string(choice), code(a), want)
		if a.OK() {
			equal(t, "auth of nothing", code(w.Auth(key, a.RequestID)), "SIM1009")
		}
	}
}

func TestRepeatedItem(t *testing.T) {
	t.Parallel()
	for choice, want := range map[iyzicotest.RepeatedItem]struct{ alive, cancelled int }{
		iyzicotest.RepeatedItemAccept:          {0, 0},
		iyzicotest.RepeatedItemInvalid:         {1, 1},
		iyzicotest.RepeatedItemUnlessCancelled: {1, 0},
	} {
		w := newWorld(t, iyzicotest.Settings{RepeatedItem: choice})
		w.init("b1", "1")
		equal(t, string(choice)+": invalid", len(w.Init(key, batch("b2", "1", "2")).InvalidItems), want.alive)

		w = newWorld(t, iyzicotest.Settings{RepeatedItem: choice})
		w.Cancel(key, w.init("b1", "1"))
		equal(t, string(choice)+": invalid after cancel", len(w.Init(key, batch("b2", "1", "2")).InvalidItems), want.cancelled)
	}
}

func TestMaxItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, iyzicotest.Settings{MaxItems: 2})
	equal(t, "two", code(w.Init(key, batch("b1", "1", "2"))), "success")
	equal(t, "three", code(w.Init(key, batch("b2", "1", "2", "3"))), "SIM1007")
}

func TestChecksum(t *testing.T) {
	t.Parallel()
	lines := []struct {
		kind, value string
		right       bool
	}{
		{"IBAN", "TR330006100519786457841326", true},
		{"IBAN", "TR470000100100000350930001", true},
		{"IBAN", "TR920086402100005482911108", false}, // of the published samples
		{"IBAN", "TR920086402100005111981111", false}, // so is this
		{"IBAN", "TR33000610051978645784132", false},
		{"IBAN", "DE330006100519786457841326", false},
		{"IBAN", "TR33000610051978645784132!", false},
		{"IDENTITY_NUMBER", "22222222220", true},
		{"IDENTITY_NUMBER", "10000000146", true},
		{"IDENTITY_NUMBER", "98765432150", true},
		{"IDENTITY_NUMBER", "11111111111", false},
		{"IDENTITY_NUMBER", "02222222220", false},
		{"IDENTITY_NUMBER", "2222222817", false},
		{"PHONE", "+905555555555", true},
		{"MEMBER_ID", "2228853", true},
	}
	for _, line := range lines {
		r := batch("b", "1")
		r.Items[0].RecipientType, r.Items[0].RecipientInfo = line.kind, line.value
		a := newWorld(t, iyzicotest.Settings{}).Init(key, r)
		equal(t, line.value+" unchecked: refused", len(a.InvalidItems), 0)
		a = newWorld(t, iyzicotest.Settings{Checksum: iyzicotest.ChecksumInvalid}).Init(key, r)
		equal(t, line.value+" checked: accepted", len(a.InvalidItems) == 0, line.right)
	}
}
