package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/toplu/toplu/internal/seal"
)

// A key is made, used, listed, kept while an open batch needs it, and destroyed;
// then nobody can be told who was paid, and everything else still.
func TestKeys(t *testing.T) {
	t.Parallel()
	s := newShift(t, 20*time.Millisecond)
	s.run(t, "keys", "create").want(t, 1, "", "seal.keyDir is not set")
	dir := filepath.Join(t.TempDir(), "keys")
	s.env = plus(s.env, "TOPLU_SEAL_KEYDIR="+dir)
	s.run(t, "status").want(t, 1, "", "toplu keys create")
	s.run(t, "keys", "create", "--months", "2").want(t, 0, "4 created, 0 there before", "")
	s.run(t, "keys", "create", "--months", "3", "--merchant", "default").want(t, 0, "1 created, 2 there before", "")
	s.run(t, "keys", "create", "--merchant", "nobody").want(t, 2, "", "is not a merchant")

	old := seal.ID{Merchant: "default", Month: "2025-01"}
	if _, err := seal.Create(dir, old); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s.start(t)
	s.send(t, "new-1")
	s.says(t, ": paid", "explain", "new-1")
	s.run(t, "pause", "--yes").want(t, 0, "", "")
	s.planned(t, keys, "old-1", time.Date(2025, 1, 31, 9, 0, 0, 0, time.UTC))
	s.says(t, "IBAN TR33***1326", "explain", "old-1")
	destroy := []string{"keys", "destroy", "default/2025-01", "--yes", "--by", "Deniz", "--reason", "retention is over"}
	s.run(t, destroy...).want(t, 1, "", "1 open batches need default/2025-01")
	s.run(t, "resume", "--yes").want(t, 0, "", "")
	s.says(t, ": paid", "explain", "old-1")

	s.run(t, "keys", "destroy", "default/2025-01", "--yes").want(t, 2, "", "--reason is needed")
	s.run(t, "keys", "destroy", "default/"+seal.MonthOf(time.Now()), "--yes", "--reason", "x").want(t, 1, "", "is in use")
	s.run(t, "keys", "destroy", "default/2024-01", "--yes", "--reason", "x").want(t, 1, "", "does not exist")
	s.run(t, append(destroy, "--dry-run")...).want(t, 0, "would destroy", "")
	s.run(t, destroy...).want(t, 0, "is destroyed here", "")
	s.run(t, destroy...).want(t, 1, "", "is destroyed already")
	if _, err := os.Stat(filepath.Join(dir, "default.2025-01.key")); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	s.run(t, "explain", "old-1").want(t, 0, "IBAN erased", "")
	s.says(t, "Everything agrees.", "audit", "--settle", "50ms")
	if out := s.run(t, "keys", "list").out; !strings.Contains(out, "by Deniz: retention is over") {
		t.Errorf("keys list: %s", out)
	}
	list := loose[[]struct {
		Merchant, Month, State string
		OpenBatches            *int
	}](t, s.run(t, "keys", "list", "--json", "--offline"))
	if len(list) != 6 || list[2].State != "destroyed" || list[0].OpenBatches != nil {
		t.Errorf("keys list: %+v", list)
	}
}
