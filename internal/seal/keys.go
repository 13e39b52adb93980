package seal

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/toplu/toplu/schema"
)

// NoMerchant stands for the merchant where none can be told: of requests that
// cannot be read, and of merchants that are not configured. No merchant has this
// name.
const NoMerchant = "_"

var (
	// ErrMissing says that a key is needed whose file is not there, or cannot be used.
	ErrMissing = errors.New("the key is not there")
	// ErrErased says that the key was destroyed, and with it what it had sealed.
	ErrErased = errors.New("the key was destroyed: what it had sealed is erased")
)

// Another look at a key's file is due after so long: in this time a key that was
// destroyed is forgotten by every process, and one that was brought is found.
const (
	lookAgain   = 10 * time.Second
	lookMissing = time.Second
)

// cacheMost is how many keys are remembered, or remembered not to be there.
const cacheMost = 10_000

// Keys are the keys of a directory. They are read when first needed. A nil *Keys
// has none: nothing is sealed, and what is sealed stays closed. Safe for
// concurrent use.
type Keys struct {
	dir     string
	now     func() time.Time
	content keyed

	mu    sync.RWMutex
	cache map[ID]*look // guarded by mu
}

// An ID names a key.
type ID struct{ Merchant, Month string }

// String is MERCHANT/MONTH.
func (id ID) String() string { return id.Merchant + "/" + id.Month }

// MonthOf names the month that t is in, in UTC.
func MonthOf(t time.Time) string { return t.UTC().Format("2006-01") }

// look is what was found in a key's place, and when.
type look struct {
	at      time.Time
	cryptor *cryptor
	err     error
}

// Open returns the keys of a directory, which must have its content key.
func Open(dir string, now func() time.Time) (*Keys, error) {
	secret, err := readFile(dir, contentID)
	if err != nil {
		return nil, fmt.Errorf("seal.keyDir: %w", err)
	}
	return &Keys{dir: dir, now: now, content: newKeyed(secret), cache: map[ID]*look{}}, nil
}

// Content is the digest of a request's content that plans and claims carry: see
// [schema.Request.Content], which it is without keys.
func (k *Keys) Content(r *schema.Request) schema.Digest {
	if k == nil {
		return r.Content()
	}
	sum := k.content.sum(r.AppendContent(make([]byte, 0, 128)))
	return schema.Digest(sum[:len(schema.Digest{})])
}

// Same reports whether d is the digest of r's content: of a plan that was sealed,
// or of one in clear, from the time before there were keys, or of an import of which
// only the id is known.
func (k *Keys) Same(d schema.Digest, r *schema.Request) bool {
	return d.Covers(k.Content(r)) || k != nil && d == r.Content()
}

// SealPlan seals a plan with its merchant's key of the month it was made in. It
// fails, and leaves the plan as it is, while that key is not there.
func (k *Keys) SealPlan(p *schema.Plan) error {
	if k == nil {
		return nil
	}
	id := ID{p.Merchant, MonthOf(p.At)}
	c, err := k.get(id)
	if err != nil {
		return err
	}
	p.Seal(id.Month, k.Content, c.seal)
	return nil
}

// OpenPlan opens a sealed plan, and does nothing to others. After an error, an
// [ErrMissing] or [ErrErased] among them, the plan stays closed.
func (k *Keys) OpenPlan(p *schema.Plan) error {
	if !p.Closed() {
		return nil
	}
	id := ID{p.Merchant, p.Key}
	c, err := k.get(id)
	if err != nil {
		return err
	}
	if err := p.Open(c.open); err != nil {
		return fmt.Errorf("key %s: %w", id, err)
	}
	return nil
}

// SealLetter seals a dead letter with the key of the month it was put aside in:
// the merchant's if that can be used, [NoMerchant]'s otherwise.
func (k *Keys) SealLetter(d *schema.DeadLetter, merchant string) error {
	if k == nil {
		return nil
	}
	id := ID{merchant, MonthOf(d.At)}
	c, err := k.get(id)
	if merchant == "" || err != nil {
		id.Merchant = NoMerchant
		c, err = k.get(id)
	}
	if err != nil {
		return err
	}
	d.Seal(id.String(), c.seal)
	return nil
}

// OpenLetter opens a sealed dead letter, and returns others as they are.
func (k *Keys) OpenLetter(m schema.Message) (schema.Message, error) {
	name := schema.SealedWith(m)
	if name == "" {
		return m, nil
	}
	id, err := parseID(name)
	if err != nil {
		return m, err
	}
	c, err := k.get(id)
	if err != nil {
		return m, err
	}
	opened, err := schema.OpenLetter(m, c.open)
	if err != nil {
		return m, fmt.Errorf("key %s: %w", id, err)
	}
	return opened, nil
}

// Ready returns an error if the key of a merchant's month could not be used.
func (k *Keys) Ready(id ID) error {
	_, err := k.get(id)
	return err
}

// get returns the key, as it was found not long ago.
func (k *Keys) get(id ID) (*cryptor, error) {
	if k == nil {
		return nil, fmt.Errorf("key %s: %w: seal.keyDir is not set", id, ErrMissing)
	}
	now := k.now()
	k.mu.RLock()
	l := k.cache[id]
	k.mu.RUnlock()
	if l.fresh(now) {
		return l.cryptor, l.err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if l := k.cache[id]; l.fresh(now) {
		return l.cryptor, l.err
	}
	if len(k.cache) >= cacheMost {
		clear(k.cache) // names come from requests, and anybody can invent some
	}
	found := k.look(id, l)
	found.at = now
	k.cache[id] = found
	return found.cryptor, found.err
}

func (l *look) fresh(now time.Time) bool {
	if l == nil {
		return false
	}
	again := lookAgain
	if errors.Is(l.err, ErrMissing) {
		again = lookMissing
	}
	return now.Sub(l.at) < again
}

// look looks for a key, of which before is what was found the last time.
func (k *Keys) look(id ID, before *look) *look {
	if _, err := parseID(id.String()); err != nil {
		return &look{err: fmt.Errorf("%w: %w", ErrMissing, err)}
	}
	if _, err := os.Lstat(path(k.dir, id, tombstone)); err == nil {
		return &look{err: fmt.Errorf("key %s: %w", id, ErrErased)}
	}
	secret, err := readFile(k.dir, id)
	if err != nil {
		return &look{err: err}
	}
	if before != nil && before.cryptor != nil && before.cryptor.of == sha256.Sum256(secret) {
		return &look{cryptor: before.cryptor}
	}
	c, err := newCryptor(secret)
	return &look{cryptor: c, err: err}
}
