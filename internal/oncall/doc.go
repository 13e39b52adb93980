// Package oncall answers the questions of the engineer on call from the logs,
// from Redis and from iyzico, and gives the commands that put things right.
//
// What is seen is what the workers act on: the same logs, folded by the same
// code, so nothing has to be running for a question to be answered, and no
// answer is older than the logs. What is asked for goes through
// payout.commands to the shard's worker, which makes it a record of the journal
// with who asked and why: nobody but a worker writes there, and the consumers the
// floors of what they have answered. What is redriven or replayed is noted there
// before it is sent, and says so in its headers, which the payout's story shows.
// Where a command comes too late, or is refused, the answer says so in words.
//
// Nothing in here can pay anybody twice: commands hold, cancel and pause; what is
// sent again to the topic it came from is judged by the claims as any other request.
//
// # Files
//
//	desk.go         what everything stands on     status.go       the whole on one screen
//	batch.go        batches, the stuck first      lag.go          requests not yet answered
//	find.go         a batch by id or place        deadletters.go  dead letters and their causes
//	explain.go      the story of a payout         mask.go         what may be shown of them
//	command.go      commands and their answers    redrive.go      sent back, after a preflight
//	answer.go       what an answer means          reemit.go       the same statuses again
//	quarantine.go   past a plan nobody can read   replay.go       what a stretch of requests came to
//	rebuild.go      claims from the log           replay_run.go   paying what a plan lists
//	owners.go       which payouts are taken       audit.go        everything against the logs
//	read.go         a partition, to its end       audit_….go      claims, statuses, iyzico
//	pulse.go        how calls to iyzico go        search.go       duplicates, letters of a payout
//	pace.go         so many events in a second    next.go         what keeps a batch back
package oncall
