package iyzico_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/toplu/toplu/iyzico"
)

func TestSignAgreesWithTheSDKs(t *testing.T) {
	t.Parallel()
	all := vectors(t)
	if len(all) != 7 {
		t.Fatalf("%d vectors, want 7", len(all))
	}
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			if got := iyzico.Sign(iyzico.Secret(v.SecretKey), v.RandomKey, v.URIPath, []byte(v.Body)); got != v.Signature {
				t.Errorf("signature %s, want %s", got, v.Signature)
			}
			got := iyzico.Authorization(iyzico.Secret(v.APIKey), iyzico.Secret(v.SecretKey), v.RandomKey, v.URIPath, []byte(v.Body))
			if got != v.Authorization {
				t.Errorf("authorization %s, want %s", got, v.Authorization)
			}
		})
	}
}

// The query is not signed: with it the signature is another one, which iyzico
// refuses.
func TestSignedQueryIsAnotherSignature(t *testing.T) {
	t.Parallel()
	v := vectors(t)[0]
	got := iyzico.Sign(iyzico.Secret(v.SecretKey), v.RandomKey, v.URIPath+"?locale=tr", []byte(v.Body))
	if want := "f147d6708f220b5d98d76039fb94c028b04ece0c3fde3f31a5604a157ca14bd9"; got != want {
		t.Errorf("signature with query %s, want %s", got, want)
	}
	if got == v.Signature {
		t.Error("the query makes no difference")
	}
}

func FuzzSign(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.APIKey, v.SecretKey, v.RandomKey, v.URIPath, []byte(v.Body))
	}
	f.Fuzz(func(t *testing.T, api, secret, random, path string, body []byte) {
		signature := iyzico.Sign(iyzico.Secret(secret), random, path, body)
		if raw, err := hex.DecodeString(signature); err != nil || len(raw) != 32 || signature != strings.ToLower(signature) {
			t.Fatalf("signature %q is not 32 bytes of lower-case hex", signature)
		}
		if other := iyzico.Sign(iyzico.Secret(secret), random, path, append([]byte("x"), body...)); other == signature {
			t.Fatal("another body has the same signature")
		}

		header := iyzico.Authorization(iyzico.Secret(api), iyzico.Secret(secret), random, path, body)
		encoded, ok := strings.CutPrefix(header, "IYZWSv2 ")
		plain, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil {
			t.Fatalf("header %q: %v", header, err)
		}
		if want := "apiKey:" + api + "&randomKey:" + random + "&signature:" + signature; string(plain) != want {
			t.Fatalf("header says %q, want %q", plain, want)
		}
	})
}
