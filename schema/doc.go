// Package schema is the wire contract: the events that order systems write and
// ledgers read, and the records of the plan log and the journal. It imports
// nothing of toplu's, so that anybody may import it.
//
// # Events
//
// Public events are CloudEvents 1.0 in the Kafka binding. [EncodeRequest],
// [EncodeStatus] and [EncodeRefusal] write binary mode; [DecodeRequest] and
// [DecodeStatus] read both modes. [Files] holds JSON Schemas and examples.
// Readers of events leave alone what they do not know, for events may grow.
//
// A request that cannot be taken becomes an [Invalid] with every mistake in it,
// and then a [DeadLetter].
//
// # Records
//
// [EncodePlan] and [EncodeRecord] write what toplu itself reads back to know
// what it did: the plan log says what we mean to pay, the journal what happened.
// Their readers refuse whatever they do not know, a single field included: two
// workers that understand a record differently could pay twice.
//
// # Rules that hold throughout
//
// Money is whole minor units, never a floating-point number. JSON is read by a
// reader of our own that refuses what other readers take in different ways:
// equal names, other cases, broken UTF-8, numbers that must be rounded. Texts
// about persons are [Private] and in no error.
//
// # Where to find what
//
//	message.go money.go private.go shard.go  the nouns all others use
//	request*.go recipient.go invalid.go      a request: read, checked, refused
//	status*.go event.go envelope.go          statuses, and the CloudEvent around an event
//	plan*.go record*.go                      the two logs
//	deadletter.go                            what could not be taken, as it came
//	json*.go                                 reading and writing JSON
package schema
