// Package consumer makes sealed plans of payout requests. It only plans: it
// holds no truth, calls nobody who pays, and may be killed at any moment.
//
// # The way of a request
//
//	partition ─▶ decode ─▶ known? ─▶ open batch ─▶ seal ─▶ payout.batches ─▶ commit
//	 read.go     event.go   plan.go    batch.go              flush.go         commit.go
//	                │          └▶ conflict ─▶ payout.requests.dlq
//	                │          └▶ cancel ─▶ payout.commands, or payout.requests.dlq   cancel.go
//	                └▶ invalid ─▶ payout.requests.dlq, payout.request_refused.v1   letters.go
//
// One goroutine a partition reads and decodes; one goroutine, [Planner.Run],
// decides (run.go). It takes what is there as a chunk and asks once a shard who
// owns the payout ids in it; while they are all new, a sample of them (ask.go).
// While it is busy, reading stops.
//
// # What holds
//
//   - A committed offset never passes a request that has no answer yet. An
//     answer is: its plan, dead letter, refusal or command is acknowledged, or
//     its payout id is known to be claimed (progress.go).
//   - Before an offset is committed it is a floor in payout.journal, where no reset
//     of the group reaches it. Requests read again from below the floor are passed
//     over if they had their answer; one that no batch has is put aside as
//     below_floor, and only a replay pays it (floor.go).
//   - A payout id that is asked for is planned only if no plan of the log has it. One
//     that is not asked for may be planned a second time; the worker's claims drop it
//     then, and put it aside if its content is another.
//   - So a crash loses nothing: the next owner of the partition reads again what
//     was not committed, and finds what was planned among the claims. What it
//     plans a second time the worker's claims drop.
//   - A merchant's requests are taken only from the topics it names ([schema.Rules]).
//     Where one stands is judged after the claims: what was taken while a topic was
//     the merchant's is never refused afterwards. Each topic has a run of its own;
//     what two of them plan twice the worker's claims drop.
//   - No plan holds a payout id twice, and two requests for one id are never in
//     flight together with different content: the first is written, and then
//     the log, not this process, says which of them owns the id.
//   - Memory is bounded: by a chunk, by the requests that cannot be committed
//     yet ([Config.MaxUnanswered]), and by the open batches ([Config.MaxOpen]).
//   - Without its key of the month a merchant's requests wait, and nobody else's
//     until memory's bound is reached (keyless.go).
//   - Whatever fails is tried again, with growing pauses, until the run ends.
//
// # The edges
//
// The package knows neither Kafka nor Redis; see [Ports] and [Assignment]. The
// sub-package kafkasource binds it to Kafka. Tests run it under virtual time.
package consumer
