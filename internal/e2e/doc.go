// Package e2e tries the built program on real Kafka and real Redis, and breaks
// whatever can break while it pays.
//
// # How a test goes
//
// A test starts a world: a broker, a Redis, `toplu simulator` as iyzico, the
// topics by `toplu topics create`, and as many `toplu run` as it wants, each a
// process of its own with a log of its own. Requests are written, and statuses
// read, by kcat, so that no code of ours stands on both sides of a topic. Then
// something goes wrong: a worker is killed or frozen, a server restarted or
// wiped, a connection cut, an answer lost. In the end everything heals, the
// test waits until every payout is answered, and calls the judge.
//
// # The judge
//
// [Judge] shares no code with the program. It knows the public events, the
// provider's books and what was asked for, and finds every payout that was paid
// twice, lost, left without an answer, told in the wrong order or told
// differently the second time. [Personal] finds what must not be told at all:
// IBANs, names, phones, identity numbers and member ids in statuses, logs,
// metrics and headers. Both have tests of their own that plant each fault.
//
// # Running it
//
//	go test -tags integration ./internal/e2e                   after `make setup`
//	go test -tags 'integration slow' -run TestSlow ./internal/e2e
//	make storm STORMS=1 MINUTES=10                             storms for as long as one likes
//	go test -tags integration ./internal/e2e -run '^TestStorm$' -timeout 0 -v -storm.seed 7 -storm.count 1 -storm.minutes 1
//
// The directory of a failed test is kept and named: logs, configuration, data.
package e2e
