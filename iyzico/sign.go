package iyzico

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// Sign returns iyzico's IYZWSv2 signature: lower-case hex of HMAC-SHA256, keyed
// with the secret key, over randomKey, path and body in this order. The path
// goes without query and host, the body is the exact bytes sent, nothing if
// there are none.
//
// Source: docs.iyzico.com, HMACSHA256 authentication; the query's absence is
// from the code of iyzico's SDKs.
func Sign(secretKey Secret, randomKey, path string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secretKey))
	mac.Write([]byte(randomKey))
	mac.Write([]byte(path))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Authorization returns the value of the Authorization header of one request.
// It holds the API key in base64, so it belongs in no log.
func Authorization(apiKey, secretKey Secret, randomKey, path string, body []byte) string {
	plain := "apiKey:" + string(apiKey) + "&randomKey:" + randomKey + "&signature:" + Sign(secretKey, randomKey, path, body)
	return "IYZWSv2 " + base64.StdEncoding.EncodeToString([]byte(plain))
}
