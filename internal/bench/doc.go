// Package bench measures what a payout costs: its whole life, from a request in
// Kafka to the status that says paid, through the real service, Kafka and Redis,
// and a simulated iyzico that answers at once. The service runs in a process of
// its own, so that its CPU time, its memory and its allocations are its own.
//
// Everything is made for one run and removed after it: topics, consumer groups
// and keys with a prefix that no live worker has.
package bench
