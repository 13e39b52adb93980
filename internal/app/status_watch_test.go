package app_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/app"
)

// A watch looks again and again, and ends well when it is interrupted.
func TestStatusWatch(t *testing.T) {
	t.Parallel()
	s := newShift(t, time.Hour)
	s.start(t)
	s.says(t, "0 open batches", "status")
	watch := func(args ...string) (seen *lockedBuffer, end func() int) {
		ctx, interrupt := context.WithCancel(t.Context())
		var out, errs lockedBuffer
		code := make(chan int, 1)
		go func() {
			code <- app.Run(ctx, append([]string{"status", "--watch", "--interval", "1ms"}, args...), func(name string) string { return s.env[name] }, strings.NewReader(""), &out, &errs)
		}()
		return &out, func() int {
			interrupt()
			return <-code
		}
	}
	sees := func(seen *lockedBuffer, text string, times int) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); strings.Count(seen.String(), text) < times; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%q is not seen %d times: %s", text, times, seen.String())
			}
		}
	}
	text, end := watch()
	sees(text, "0 open batches", 2)
	s.send(t, "a-1")
	sees(text, "submitted", 2)
	if code := end(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if strings.Contains(text.String(), "\x1b") {
		t.Error("it clears a screen that is none")
	}
	objects, end := watch("--json")
	sees(objects, `"shards"`, 2)
	if code := end(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	d := json.NewDecoder(strings.NewReader(objects.String()))
	for range 2 {
		var st statusJSON
		if err := d.Decode(&st); err != nil || len(st.Shards) != 2 || len(st.States) != 1 {
			t.Errorf("%v: %+v", err, st)
		}
	}
}
