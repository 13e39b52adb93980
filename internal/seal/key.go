package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"hash"
	"sync"
)

// size is the length of a key in bytes.
const size = 32

// errBox says that a box was not made with this key about this payout.
var errBox = errors.New("the box does not open: it was made with another key, or about something else")

// A cryptor seals and opens with one key. It is safe for concurrent use.
type cryptor struct {
	of     [sha256.Size]byte // the hash of its key, to know it again
	aead   cipher.AEAD
	nonces keyed
}

func newCryptor(secret []byte) (*cryptor, error) {
	encryption, err := hkdf.Expand(sha256.New, secret, "toplu seal 1 encryption", size)
	if err != nil {
		return nil, err
	}
	nonces, err := hkdf.Expand(sha256.New, secret, "toplu seal 1 nonce", size)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(encryption)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &cryptor{sha256.Sum256(secret), aead, newKeyed(nonces)}, nil
}

// seal makes a box around text that opens only together with about.
func (c *cryptor) seal(about, text []byte) []byte {
	n := c.aead.NonceSize()
	box := make([]byte, n, n+len(text)+c.aead.Overhead())
	sum := c.nonces.sum(about, text)
	copy(box, sum[:n])
	return c.aead.Seal(box, box, text, about)
}

// open opens a box.
func (c *cryptor) open(about, box []byte) ([]byte, error) {
	n := c.aead.NonceSize()
	if len(box) < n {
		return nil, errBox
	}
	text, err := c.aead.Open(nil, box[:n], box[n:], about)
	if err != nil {
		return nil, errBox
	}
	return text, nil
}

// keyed is HMAC-SHA-256 with one key, without its set-up each time.
type keyed struct{ pool *sync.Pool }

func newKeyed(key []byte) keyed {
	return keyed{&sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// sum is the HMAC of the parts one after the other.
func (k keyed) sum(parts ...[]byte) (sum [sha256.Size]byte) {
	h, _ := k.pool.Get().(hash.Hash)
	defer k.pool.Put(h)
	h.Reset()
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	return sum
}
