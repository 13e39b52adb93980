// Package secure tries the built program on real servers that trust nobody:
// Kafka with TLS, logins and ACLs, Redis with TLS and ACLs, alone, as a cluster
// and behind sentinels. Who may do what is read from docs/security.md, so that
// what is written there is what was tried.
//
//	go test -tags 'integration slow' -run TestSlowSecure ./internal/secure      after `make setup`
package secure
