package worker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/toplu/toplu/schema"
)

// An init that answers a second attempt with the requestId of the first is not
// believed: its created would never count, and be written for ever.
func TestAnEarlierRequestIDIsNotBelieved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, p := deskOf(t)
		end := d.at(t, newPanel(), &d.plans) // it has one requestId for all
		time.Sleep(time.Minute)
		d.ask(t, schema.Command{Kind: schema.CmdResolve, Batch: p.ID, Plan: 1, Attempt: 1, RequestID: "r", Verdict: schema.VerdictDead, Evidence: "a letter"})
		time.Sleep(time.Minute) // the second attempt asks init
		_, before, err := d.journal.Bounds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		_, after, err := d.journal.Bounds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if grown := after - before; grown > 100 {
			t.Errorf("%d records in ten minutes in which nothing happens", grown)
		}
		end()
	})
}
