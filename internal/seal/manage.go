package seal

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Months are n months from the one that t is in, the first first.
func Months(t time.Time, n int) []string {
	first := time.Date(t.UTC().Year(), t.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	all := make([]string, n)
	for i := range all {
		all[i] = MonthOf(first.AddDate(0, i, 0))
	}
	return all
}

// Create makes a key, or returns false if there is one, or was. It makes the
// directory and the content key if they are not there.
func Create(dir string, id ID) (bool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	if _, err := write(dir, contentID); err != nil {
		return false, err
	}
	if _, err := os.Lstat(path(dir, id, tombstone)); err == nil {
		return false, nil
	}
	return write(dir, id)
}

// write makes the file of a key, whole and on the disk or not at all, unless
// there is one: a key that was used once must never be exchanged.
func write(dir string, id ID) (bool, error) {
	secret := make([]byte, size)
	_, _ = rand.Read(secret) // never fails
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return false, err
	}
	defer os.Remove(f.Name())
	if err := finish(f, line(id, secret)); err != nil {
		return false, err
	}
	// Unlike a rename, a link does not replace what is there.
	err = os.Link(f.Name(), path(dir, id, alive))
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, syncDir(dir)
}

// finish writes a file's text to the disk and closes it.
func finish(f *os.File, text string) error {
	_, err := f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDir makes what was done to a directory's entries last.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the directory that the configuration names
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// A Grave is what is left of a destroyed key.
type Grave struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}

// Destroy destroys a key: the grave is written first, so that nobody uses the
// key from then on; then its file is overwritten and removed. A crash in between
// leaves both; to destroy it again ends it. Copies of the file, in backups or on
// a disk that writes elsewhere, are not reached from here.
func Destroy(dir string, id ID, g Grave) error {
	file := path(dir, id, alive)
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	text, err := json.Marshal(g)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path(dir, id, tombstone), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(finish(f, string(text)+"\n"), syncDir(dir)); err != nil {
		return err
	}
	if f, err = os.OpenFile(file, os.O_WRONLY, 0); err != nil { //nolint:gosec // in the directory that the configuration names
		return err
	}
	if err := finish(f, strings.Repeat("0", int(info.Size()))); err != nil {
		return err
	}
	return errors.Join(os.Remove(file), syncDir(dir))
}

// A State is how a key's file stands.
type State string

// The states of a key.
const (
	Alive     State = "there"
	Destroyed State = "destroyed"
	Unusable  State = "unusable"
)

// A Listed is a key of a directory.
type Listed struct {
	Merchant string `json:"merchant"`
	Month    string `json:"month"`
	State    State  `json:"state"`
	Text     string `json:"text,omitempty"` // why it is unusable
	*Grave
}

// ID is the key's name.
func (l *Listed) ID() ID { return ID{l.Merchant, l.Month} }

// List lists the keys of a directory by merchant and month, without the content
// key.
func List(dir string) ([]Listed, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := map[ID]Listed{}
	for _, e := range entries {
		name, dead := strings.CutSuffix(e.Name(), tombstone)
		name, lives := strings.CutSuffix(name, alive)
		merchant, month, _ := strings.Cut(name, ".")
		id, err := parseID(merchant + "/" + month)
		if !dead && !lives || err != nil {
			continue
		}
		if _, known := all[id]; known && !dead {
			continue // half destroyed
		}
		l := Listed{Merchant: merchant, Month: month, State: Alive}
		if dead {
			l.State, l.Grave = Destroyed, readGrave(filepath.Join(dir, e.Name()))
		} else if _, err := readFile(dir, id); err != nil {
			l.State, l.Text = Unusable, err.Error()
		}
		all[id] = l
	}
	list := make([]Listed, 0, len(all))
	for _, l := range all {
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b Listed) int { return strings.Compare(a.ID().String(), b.ID().String()) })
	return list, nil
}

func readGrave(file string) *Grave {
	g := new(Grave)
	text, err := os.ReadFile(file) //nolint:gosec // in the directory that the configuration names
	if err != nil || json.Unmarshal(text, g) != nil {
		return nil
	}
	return g
}

// Find returns a key of the directory by its name, MERCHANT/MONTH.
func Find(dir, name string) (Listed, error) {
	id, err := parseID(name)
	if err != nil {
		return Listed{}, fmt.Errorf("%q: %w", name, err)
	}
	all, err := List(dir)
	if err != nil {
		return Listed{}, err
	}
	for _, l := range all {
		if l.ID() == id {
			return l, nil
		}
	}
	return Listed{}, fmt.Errorf("%s: %w: %s does not exist", name, ErrMissing, path(dir, id, alive))
}
