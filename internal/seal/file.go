package seal

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/toplu/toplu/schema"
)

// The endings of the files of a key.
const (
	alive     = ".key"
	tombstone = ".destroyed"
)

// contentID names the content key, which has no month.
var contentID = ID{"content", ""}

// fileHead begins a key's file, version included.
const fileHead = "toplu-key 1"

// readable are the permissions that a key's file may have: its owner's, and
// reading for a group, as Kubernetes gives secrets to a user who is not root.
const readable fs.FileMode = 0o740

var merchantName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// parseID reads MERCHANT/MONTH.
func parseID(name string) (ID, error) {
	merchant, month, ok := strings.Cut(name, "/")
	if !ok || merchant != NoMerchant && !merchantName.MatchString(merchant) || !schema.ValidMonth(month) {
		return ID{}, errors.New("a key is named MERCHANT/MONTH, as in default/2026-11")
	}
	return ID{merchant, month}, nil
}

func path(dir string, id ID, ending string) string {
	name := id.Merchant
	if id.Month != "" {
		name += "." + id.Month
	}
	return filepath.Join(dir, name+ending)
}

// line is a key's file.
func line(id ID, secret []byte) string {
	month := id.Month
	if month == "" {
		month = "-"
	}
	return fmt.Sprintf("%s %s %s %s\n", fileHead, id.Merchant, month, base64.StdEncoding.EncodeToString(secret))
}

// readFile reads a key. Its errors are [ErrMissing], whatever keeps it from being
// used, and hold nothing of the file's content.
func readFile(dir string, id ID) ([]byte, error) {
	file := path(dir, id, alive)
	bad := func(text string) error { return fmt.Errorf("%w: %s %s", ErrMissing, file, text) }
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, bad("does not exist; toplu keys create makes it, or bring it from where the others have it")
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	case !info.Mode().IsRegular():
		return nil, bad("is no file")
	case info.Mode().Perm()&^readable != 0:
		return nil, bad(fmt.Sprintf("has mode %04o: nobody but its owner may write it, and others may not read it (chmod 600)", info.Mode().Perm()))
	}
	text, err := os.ReadFile(file) //nolint:gosec // in the directory that the configuration names
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	words := strings.Fields(string(text))
	if len(words) != 5 || words[0]+" "+words[1] != fileHead {
		return nil, bad("is no key of this version")
	}
	secret, err := base64.StdEncoding.DecodeString(words[4])
	switch {
	case err != nil || len(secret) != size:
		return nil, bad("is no key of 32 bytes")
	case line(id, secret) != strings.Join(words, " ")+"\n":
		return nil, bad("is the key of " + words[2] + "/" + words[3] + ": keys must not be renamed")
	}
	return secret, nil
}
