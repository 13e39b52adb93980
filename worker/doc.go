// Package worker pays sealed batches of payouts through iyzico, each payout at
// most once, and answers for every one of them.
//
// A payout id is paid at most once, ever, and no accepted request is lost or
// left without an answer: through crashes, rebalances, frozen workers, lost
// answers, replays from offset 0 and a wiped Redis. How, in one line: the log
// decides, Redis remembers, iyzico confirms.
//
// # The flow
//
//	payout.batches ─▶ claim ─▶ turn ─▶ create ─▶ verify ─▶ complete ─▶ report ─▶ publish ─▶ payout.statuses
//	                 claim.go  turn.go create.go verify.go complete.go report.go publish.go
//	                              ▲         │        │         │          │
//	                              └──────── payout.journal, folded by fold.go ◀──┘
//
// Two logs are the truth. payout.batches says what is meant to be paid, in one
// order for each shard; payout.journal says what has happened. A session acts
// on what it has read from them, never on what it believes it wrote.
//
// A [Shard] is one partition of both. Its loop (shard.go) owns all state; calls
// and log reads run beside it. For each batch the loop asks next (next.go) what
// comes next, given the fold of the journal and this session's memory. A healthy
// run and one that takes over after a crash go through the same function.
//
// # The records, and what they decide
//
//	record      written when                          what it decides
//	creating    before init                           an attempt may exist at iyzico
//	created     init answered, or was read back       the first of the current attempt wins; other requestIds are orphans
//	refused     init was refused by a listed code     the items are rejected, unless an attempt has a created
//	abandoned   the requestId cannot be recovered     the attempt ends; counts only before a completing
//	completing  read back, compared, funded           the point of no return; void while held or paused
//	completed   auth answered success, or a report    the items are submitted
//	            shows that it took
//	fencing     before cancel, after a completing     whoever has read it calls no auth
//	dead        proof of death, after a fencing       the next attempt may begin
//	settled     a report shows items changed          counts as completed first; a join, never an overwrite
//	unknown     an answer is lost and not found       alert, keep asking; never a failure by time-out
//	held        policy, mismatch, people              before completing it wins; later it waits for the attempt's death
//	resumed     people                                lifts the holds or pauses it names
//	cancel      people, order systems                 as held; the items are cancelled
//	decided     a person, while unknown               as proof, shown as a person's word
//	paused      people                                voids every later completing in its scope
//	checkpoint  now and then                          a reader may begin there
//	epoch       Redis was lost                        the first that names the current one is the next
//	quarantined a person, for a plan that cannot be   the plan owns nothing
//	            read
//	noted       a command that changes nothing        nothing; it is part of the story
//	floor       a consumer is about to commit, or a   requests below it pay nothing new by themselves
//	            person accepts a topic made anew
//	closed      every item is answered                nothing more is driven
//
// What a record means is in fold.go; whether it counts is judged once, at its
// place in the log. Statuses are made by the fold, so they are a function of the
// logs: a session that reads the records again makes the same events with the
// same ids.
//
// A genesis, or a pause, with the reason "restored" closes its shard: Kafka was
// lost, so what was paid is not in the logs. Nothing is planned or completed until a
// person has brought that back in: an imported record in payout.batches claims
// payout ids as a plan does, in the order of the log, and is never driven.
//
// # Commit points, and who repairs a crash right after them
//
//   - A plan is in the log, not claimed: the next session folds it.
//   - A plan is claimed, accepted not published: the next session folds it again,
//     the claims answer the same, the same event is published.
//   - creating is written, init called or not: the next session looks by
//     externalId over the grace period, before it calls init again.
//   - created is written: the next session reads back and compares.
//   - completing is written, auth called or not, answered or not: the next
//     session asks for the batch's status. If it took: completed. If it still
//     shows INIT after the grace period: fencing, then cancel, then proof of
//     death; only then a new attempt. A session frozen before its auth and waking
//     an hour later meets a cancelled batch: the provider itself is the fence.
//   - settled is written, statuses not published: the next session folds and
//     publishes them. A batch is closed, and a checkpoint written, only when the
//     statuses before it are acknowledged.
//
// # What waits, and what is held, before anything is created
//
// A plan may say that it is not to be created before a time: its merchant's
// cut-off has passed. It is claimed and accepted at once, and its turn comes when
// the time has. A batch above its merchant's limits gets a held as its first
// record; whoever resumes it has decided, and it is not held for that again. Both
// are judged while the batch is planned, so no money can have moved.
//
// # One merchant's trouble is its own
//
// Turns, open batches, calls at a time, the rate and the circuit breaker are each
// merchant's own (sub-package throttle). The breaker opens for account, traffic and
// network, never for what iyzico says of a batch. While it is open nothing is begun
// and no completing is written; a call that it does not let through was not sent.
// auth it always lets through: its completing is written, and a call withheld then
// costs an attempt. What batches are about to take of a balance is set aside where
// all workers see it (sub-package redislimit), as advice: without it a batch may
// meet an empty balance. A merchant that is not in the configuration has its
// batches wait, without a record, until it is back.
//
// # Who is paid, and who must know
//
// Plans may be sealed: recipients, names, descriptions and metadata are closed
// to whoever has no key. They are opened when a plan is read. What needs to know
// who is paid is init and the comparison before completing; a batch whose key is
// not there waits before either, and from completing on nobody asks. Claims take
// the content digest that stands in the plan, so a refill, years after the key
// was destroyed, gives the same claims.
//
// # What must never be
//
//   - auth twice for one attempt: only the session whose completing counts calls
//     it, only after reading it back, only once, with no retry anywhere.
//   - A new attempt without proof: CANCELED and every valid item
//     MASS_PAYOUT_CANCELED, all pages, their number right. Cancel's own answer
//     proves nothing, INIT proves nothing, a time-out proves nothing.
//   - A plan claiming out of turn: each fold names the record before it, and is
//     refused unless the claims stand there. Redis is disposable; when it is lost, rolled back, damaged
//     or exchanged, the shard stops paying and fills it again from the log.
//   - A fold that skips: an unknown type or version stops the shard, and so does
//     a log that begins elsewhere or belongs to another installation.
//
// # Assumptions
//
// Two remain. A batch read back as CANCELED with all its items
// MASS_PAYOUT_CANCELED has moved no money and never will, neither by an auth that
// arrives later nor by one accepted earlier and not yet visible, and nobody else
// acts on our batches. And Kafka keeps what it acknowledged.
//
// # Files
//
//	shard.go       the loop          claim.go     plans into claims      fold.go     what records decide
//	next.go        what comes next   turn.go      whose turn it is       batch.go    the fold's state
//	recover.go     where to begin    create.go    init and its traces    outcome.go  what answers prove
//	checkpoint.go  beginning late    verify.go    compare before paying  claims.go   contract of the claims
//	worker.go      shards, leases    complete.go  auth and the fence     ports.go    contract of the rest
//	known.go       for the consumer  report.go    what became of it      story.go    for people
//	config.go      settings          publish.go   statuses, journal      metrics.go  counters
//	limit.go       amounts, cut-offs missing.go   merchants taken out    balance.go  money set aside
//	sealed.go      who is paid       resolve.go   a person's word
//	command.go     people on call    sleep.go     what may come back     guard.go    hourly
//	floor.go       below it nothing  import.go    paid elsewhere
//	gauges.go      what is open      readings.go  the same, for Prometheus
//	trace.go       spans, which decide nothing
package worker
