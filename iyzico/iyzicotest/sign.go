package iyzicotest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// credentials are what an Authorization header carries.
type credentials struct {
	apiKey, randomKey, signature string
}

// readAuthorization takes an IYZWSv2 header apart. It reports false for
// anything else.
func readAuthorization(header string) (credentials, bool) {
	encoded, ok := strings.CutPrefix(header, "IYZWSv2 ")
	if !ok {
		return credentials{}, false
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return credentials{}, false
	}
	fields := strings.Split(string(text), "&")
	if len(fields) != 3 {
		return credentials{}, false
	}
	var c credentials
	var k, r, s bool
	c.apiKey, k = strings.CutPrefix(fields[0], "apiKey:")
	c.randomKey, r = strings.CutPrefix(fields[1], "randomKey:")
	c.signature, s = strings.CutPrefix(fields[2], "signature:")
	return c, k && r && s
}

// signedBy says whether the signature is that of the secret over the path,
// which has no query, and the bytes of the body.
func (c credentials) signedBy(secret, path string, body []byte) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(c.randomKey))
	mac.Write([]byte(path))
	mac.Write(body)
	want := hex.EncodeToString(mac.Sum(nil))
	return hmac.Equal([]byte(c.signature), []byte(want))
}
