// Package conformance tries a ledger of any language against everything that
// payout.statuses may do, and checks its books.
//
// # How it goes
//
// [Compose] writes a play: payouts, each with a [Story], as messages in four
// acts. [Run] starts the ledger under test as a program of its own and plays the
// acts to it. After the first it waits until all is booked; in the second it kills
// the program three times while more comes, right after it has committed an offset
// or booked something, and starts it again; in the middle of the third a
// second one joins its consumer group, takes over some partitions, and when the
// first is killed all of them; in the fourth comes what is late: gaps are filled,
// money returns, a whole day is told again. Then the books are read and
// [Play.Judge] compares them.
//
// # What a ledger must offer
//
// Two commands. The first consumes: it gets KAFKA_BROKERS, KAFKA_TOPIC and
// KAFKA_GROUP in its environment, begins at the first offset, and runs until it
// is killed; two of it may run at once, on the same books. The second prints the books as JSON lines on standard output, one a
// payout, amounts as decimals with two digits:
//
//	{"payoutId":"order-1042","status":"paid","reserved":"0.00","paid":"100.50","commission":"20.00"}
//
// Standard output and the environment are what every language has, and books
// that another process can read are books that outlive a crash. How a payout is
// to be booked is in docs/ledger.md.
//
// # Where to find what
//
//	story.go    what may happen to a payout, and what a ledger learns from it
//	play.go     stories into acts
//	books.go    a ledger's books, and what they should be
//	judge.go    the verdict, with a lesson for each story that went wrong
//	run.go      the performance
//	process.go  the ledger under test as a program
package conformance
