// Package demo is a payout service's surroundings in one process: Kafka (kfake),
// Redis (miniredis), iyzico (the simulator), a shop that asks for payouts of
// every kind, and a ledger that books their statuses. `toplu demo` runs the
// real service between them and compares the ledger with iyzico's books.
package demo
