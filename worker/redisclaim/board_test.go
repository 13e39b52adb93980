package redisclaim_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/toplu/toplu/worker/redisclaim"
)

func TestBoard(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	board := redisclaim.NewBoard(dial(t, server.Addr()), "toplu")
	ctx := t.Context()
	want := func(want map[string]string) {
		t.Helper()
		notes, err := board.Notes(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, notes); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	}
	pin := func(name, note string) {
		t.Helper()
		if err := board.Pin(ctx, name, []byte(note)); err != nil {
			t.Fatal(err)
		}
	}
	want(map[string]string{})
	pin("a", "first")
	pin("b", "other")
	pin("a", "second")
	want(map[string]string{"a": "second", "b": "other"})
	if err := board.Clear(ctx); err != nil {
		t.Fatal(err)
	}
	pin("b", "again")
	want(map[string]string{"b": "again"})
	server.FastForward(2 * time.Minute)
	want(map[string]string{})
}
