// Package simulation tries the promise: the real worker on logs, claims and a
// provider in memory, under virtual time, with one seed that decides all that
// can go wrong. There is no code here but tests.
//
// Every use of a port is a gate: the call waits until the scheduler, the only
// goroutine that decides anything, lets it through. When every goroutine is
// blocked the scheduler sorts what waits and draws: answer this one; let it have
// its effect and lose the answer; lose it before; leave it in the network to
// take effect whenever, its caller long gone; freeze a session, crash it, start
// another beside it; wipe Redis, roll it back, rob it; let people write records;
// let time pass. So the same seed is the same run, to the byte.
//
// After the storm comes the calm: faults end, one healthy session a shard is
// left, time runs, a person answers what needs a person. Then the judge, who
// shares no code with the worker, reads the plan logs, the status topic and the
// provider's books: nobody paid twice, nobody unanswered, no answer that the
// books contradict, no sequence with a gap.
//
//	go test ./internal/simulation                              a few thousand seeds
//	go test ./internal/simulation -run Simulation -seeds 100000
//	go test ./internal/simulation -run Simulation -seed 42 -v   one, with its trace
package simulation
