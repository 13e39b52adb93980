// Package seal keeps the keys that personal data in the logs is sealed with, and
// seals and opens with them.
//
// Each merchant has a key a month. A plan is sealed with the key of its merchant
// and of the month in which it was made, a dead letter with that of the month in
// which it was put aside; what nobody can tell the merchant of is [NoMerchant]'s.
// To destroy a key is to erase all that was sealed with it: claims, sums and
// statuses live on, for none of them needs it (package schema says what is
// sealed and what is not).
//
// Keys are files in one directory, the same for every process:
//
//	default.2026-11.key        toplu-key 1 default 2026-11 BASE64
//	default.2025-11.destroyed  when, by whom and why, as JSON
//	content.key                toplu-key 1 content - BASE64
//
// A box is nonce, AES-256-GCM ciphertext and tag. The encryption key and the
// nonce's key are HKDF-SHA-256 of the file's 32 random bytes. The nonce is the
// beginning of an HMAC of what is sealed and what it is bound to, not random:
// the same request sealed again after a crash must be the same box, or the
// batch's id, which is a hash of its record, would be another each time. Equal
// nonces so mean equal texts, but for a chance of one in 2^96 for each pair, as
// with random ones.
//
// The content key, one for the life of the installation, makes the digests by
// which a payout id asked for again is known as the same or another. They stand
// in plans and claims for ever. Without a key they would tell an IBAN, which has
// few unknown digits, to whoever tries them all.
package seal
