package schema_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/schema"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	for _, c := range []schema.Command{
		{Kind: schema.CmdHold, Batch: "b", Plan: 3, By: "ops", Reason: "wrong rate", At: at},
		{Kind: schema.CmdResume, Batch: "b", Plan: 3, By: "ops", At: at},
		{Kind: schema.CmdCancel, Batch: "b", Plan: 3, By: "ops", At: at},
		{Kind: schema.CmdCancel, PayoutID: "order-1", By: "shop", At: at},
		{Kind: schema.CmdCancel, PayoutID: "order-1", Topic: "payout.requests", By: "shop", At: at},
		{Kind: schema.CmdResolve, Batch: "b", Plan: 3, Attempt: 2, RequestID: "r-2", Verdict: schema.VerdictDead, Evidence: "letter of 3 May", By: "ops", At: at},
		{Kind: schema.CmdResolve, Batch: "b", Plan: 3, Attempt: 1, Verdict: schema.VerdictItems, Items: []schema.ItemWord{{PayoutID: "a", Status: schema.Paid}, {PayoutID: "b", Status: schema.Failed}}, Evidence: "statement", By: "ops", At: at},
		{Kind: schema.CmdRebuild, By: "ops", At: at},
		{Kind: schema.CmdRedrive, By: "ops", Reason: "of order-1: mended", At: at},
		{Kind: schema.CmdReplay, By: "ops", Reason: "of order-1", At: at},
		{Kind: schema.CmdPause, By: "ops", At: at},
		{Kind: schema.CmdQuarantine, Plan: 7, By: "ops", Reason: "written by hand", At: at},
		{Kind: schema.CmdAccept, Floor: &schema.Floor{Topic: "payout.requests", Partition: 2, Offset: 9}, By: "ops", Reason: "made anew", At: at},
		{Kind: schema.CmdImport, Imports: goldenImport().Items, By: "ops", Reason: "paid by hand", At: at},
		{Kind: schema.CmdOpen, By: "ops", Reason: "imported", At: at},
		{Kind: schema.CmdUnpause, Merchant: "default", By: "ops", At: at},
	} {
		value, err := schema.EncodeCommand(&c)
		if err != nil {
			t.Fatalf("%s: %v", c.Kind, err)
		}
		got, err := schema.DecodeCommand(value)
		if diff := cmp.Diff(c, got); diff != "" || err != nil {
			t.Errorf("%s: error %v, (-want +got):\n%s", c.Kind, err, diff)
		}
	}
}

func TestCommandsRefused(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]error{
		``:                                    schema.ErrRecord,
		`{"v":1}`:                             schema.ErrRecord,
		`{"v":2,"kind":"pause","by":"ops"}`:   schema.ErrVersion,
		`{"v":1,"kind":"explode","by":"ops"}`: schema.ErrVersion,
		`{"v":1,"kind":"pause"}`:              schema.ErrRecord,
		`{"v":1,"kind":"hold","by":"ops"}`:    schema.ErrRecord,
		`{"v":1,"kind":"cancel","by":"ops"}`:  schema.ErrRecord,
		`{"v":1,"kind":"cancel","by":"o","batch":"b","plan":1,"payoutId":"x"}`:                                                                                 schema.ErrRecord,
		`{"v":1,"kind":"resolve","by":"ops","batch":"b","plan":1,"attempt":1,"verdict":"dead"}`:                                                                schema.ErrRecord,
		`{"v":1,"kind":"resolve","by":"ops","batch":"b","plan":1,"attempt":1,"verdict":"items","evidence":"e"}`:                                                schema.ErrRecord,
		`{"v":1,"kind":"resolve","by":"ops","batch":"b","plan":1,"attempt":1,"verdict":"dead","evidence":"e","items":[{"payoutId":"a","status":"paid"}]}`:      schema.ErrRecord,
		`{"v":1,"kind":"resolve","by":"ops","batch":"b","plan":1,"attempt":1,"verdict":"items","evidence":"e","items":[{"payoutId":"a","status":"accepted"}]}`: schema.ErrRecord,
		`{"v":1,"kind":"resolve","by":"ops","batch":"b","plan":1,"requestId":"r","verdict":"dead","evidence":"e"}`:                                             schema.ErrRecord,
		`{"v":1,"kind":"quarantine","by":"ops","plan":3}`:                                                                                                      schema.ErrRecord,
		`{"v":1,"kind":"pause","by":"ops","force":true}`:                                                                                                       schema.ErrRecord,
		`{"v":1,"kind":"accept","by":"ops","reason":"r"}`:                                                                                                      schema.ErrRecord,
		`{"v":1,"kind":"accept","by":"ops","floor":{"topic":"t","offset":1}}`:                                                                                  schema.ErrRecord,
		`{"v":1,"kind":"open","by":"ops"}`:                                                                                                                     schema.ErrRecord,
		`{"v":1,"kind":"import","by":"ops","reason":"r"}`:                                                                                                      schema.ErrRecord,
		`{"v":1,"kind":"import","by":"ops","reason":"r","imports":[{"id":"a"},{"id":"a"}]}`:                                                                    schema.ErrRecord,
		`{"v":1,"kind":"import","by":"ops","reason":"r","imports":[{"id":"a","content":"0102"}]}`:                                                              schema.ErrRecord,
		`{"v":1,"kind":"import","by":"ops","reason":"r","imports":[{"id":"not valid"}]}`:                                                                       schema.ErrRecord,
	} {
		if c, err := schema.DecodeCommand([]byte(value)); !errors.Is(err, want) {
			t.Errorf("%s: %+v, error %v, want %v", value, c, err, want)
		}
	}
}

func FuzzDecodeCommand(f *testing.F) {
	for _, c := range []schema.Command{
		{Kind: schema.CmdCancel, PayoutID: "order-1", By: "shop", At: at},
		{Kind: schema.CmdResolve, Batch: "b", Plan: 3, Attempt: 1, Verdict: schema.VerdictItems, Items: []schema.ItemWord{{PayoutID: "a", Status: schema.Paid}}, Evidence: "statement", By: "ops", At: at},
		{Kind: schema.CmdImport, Imports: goldenImport().Items, By: "ops", Reason: "paid by hand", At: at},
	} {
		value, err := schema.EncodeCommand(&c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		c, err := schema.DecodeCommand(value)
		if err != nil {
			return
		}
		again, err := schema.EncodeCommand(&c)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if c2, err := schema.DecodeCommand(again); err != nil || c2.Kind != c.Kind || c2.Batch != c.Batch || c2.PayoutID != c.PayoutID {
			t.Fatalf("%+v is read back as %+v, %v", c, c2, err)
		}
	})
}
