// Package foreign tries toplu with programs that are not its own: Kafka clients
// of other languages write requests and read statuses, ledgers in four languages
// are tried by the conformance kit, a shop's outbox is killed amid its work,
// iyzico's own SDK calls the simulator, and AsyncAPI's parser reads the contract.
//
// All of it runs against real Kafka, and PostgreSQL where a program needs one.
// The tests carry the build tags integration and slow; `make setup` fetches the
// clients by name and version (setup.sh).
//
//	go test -tags 'integration slow' -run TestSlow -v ./internal/foreign
package foreign
