package oncall_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
)

// TestImportThatIsOvertaken has a batch planned of an id while ids are imported: the
// rest goes in, and it is no success.
func TestImportThatIsOvertaken(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.plan(t, "a-1")
	r.write(t, schema.Record{Type: schema.RecGenesis, LogID: "log"})
	r.write(t, schema.Record{Type: schema.RecEpoch, Epoch: "e-1"})
	r.desk.Patience = 5 * time.Second
	ids := make([]string, schema.MaxImports+1) // two commands
	for i := range ids {
		ids[i] = "x-" + strconv.Itoa(i)
	}
	check, err := r.desk.CheckImport(t.Context(), ids)
	if err != nil || check.New != len(ids) {
		t.Fatalf("%+v, %v", check, err)
	}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		for answered := int64(0); answered < 2 && ctx.Err() == nil; {
			_, end, _ := r.commands.Bounds(t.Context())
			if end == answered {
				time.Sleep(time.Millisecond)
				continue
			}
			why := []schema.Reason{{Code: "imported_in_part", Text: "a-1 is in a batch"}, {Code: "imported", Text: "used up"}}[answered]
			answered++
			r.write(t, schema.Record{Type: schema.RecNoted, By: "ayse", Command: answered, Reason: &why})
		}
	}()
	n := 0
	err = r.desk.Import(t.Context(), check, "ayse", "paid by hand", func(more int) { n += more })
	cancel()
	<-done
	if !errors.Is(err, oncall.ErrTaken) || !strings.Contains(err.Error(), "shard 0: a-1 is in a batch") || n != len(ids) {
		t.Errorf("after %d ids: %v", n, err)
	}
}
