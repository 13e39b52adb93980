package app_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestImportOfWhatIsPaidHere imports an id that a batch here is about to pay: the
// others are used up, and it is no success before that payout is cancelled.
func TestImportOfWhatIsPaidHere(t *testing.T) {
	t.Parallel()
	s := newShift(t, 50*time.Millisecond)
	s.start(t)
	s.run(t, "pause", "--yes", "--reason", "a drill").want(t, 0, "", "")
	s.send(t, "a-1", "a-2")
	s.says(t, "accepted", "explain", "a-1")
	file := filepath.Join(t.TempDir(), "ids.txt")
	if err := os.WriteFile(file, []byte("a-1\nb-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	claims := []string{"claims", "import", file, "--reason", "paid by hand"}
	const (
		named = "a-1 is in a batch that is not answered: it may be paid once more"
		left  = "1 of the ids are in batches here that are not answered: toplu payout cancel each"
	)
	s.run(t, append(claims, "--dry-run")...).want(t, 1, named, left)
	s.run(t, append(claims, "--open", "--yes")...).want(t, 1, named, left+"; nothing was imported or opened")
	s.run(t, append(claims, "--yes")...).want(t, 1, "1 imported", left)
	s.run(t, "payout", "cancel", "a-1", "--yes", "--reason", "paid by hand").want(t, 0, "", "")
	s.run(t, append(claims, "--yes")...).want(t, 0, "2 ids: 0 new, 1 imported before, 1 in a batch here", "")
}
