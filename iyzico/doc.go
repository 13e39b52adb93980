// Package iyzico is a client of iyzico's Mass Payout API ("Toplu Ödeme").
//
// A batch of payouts is made known with [Client.Init], which moves no money,
// and paid with [Client.Auth]. [Client.Retrieve] and [Client.Item] tell how it
// stands, [Client.Cancel] ends one that is not paid, [Client.Balance] tells
// what there is to pay from. iyzico calls nobody back: who wants to know asks.
//
// # What a call proves
//
// A call that moves money has more ends than success and failure. Every error
// is an [Error] with an [Outcome]:
//
//	OutcomeAccepted   iyzico answered success; the error is nil
//	OutcomeRefused    iyzico answered failure; Code, Message and Kind say why
//	OutcomeNotSent    provably nothing left: a request that cannot be right, a
//	                  context that had ended, no connection to be had
//	OutcomeUnknown    everything else: no answer in time, a connection cut, a
//	                  redirect, an answer that is too long, is not JSON, has an
//	                  unknown status, or lacks what a success must have
//
// Unknown is the zero value. The status in the body decides, not the HTTP
// status: iyzico has been seen to refuse with several, 200 among them. So a
// failure that comes with an HTTP 5xx is a refusal, of [KindTraffic]; a caller
// of Auth takes even that for a lost answer.
//
// # What the client does not do
//
// It repeats nothing, neither by itself nor through Go's transport: bodies
// cannot be rewound, no Idempotency-Key is sent, redirects are not followed,
// HTTP/2 is off. The one thing left to the transport is to send a request
// without a body again while it has seen nothing of it go out, and a GET whose
// kept connection turns out to be closed; a GET changes nothing.
//
// It keeps nothing between two calls but connections, checks no IBAN, and
// verifies no answer beyond TLS, for iyzico signs none of these.
//
// # Reading iyzico
//
// iyzico's pages contradict each other and their own samples, so answers are
// read by a scanner which takes what has been seen or shown: merchantId 000000
// and no-break spaces (no valid JSON), paging inside massPayoutItems or beside it, errorMessages or
// errorMessage, externalId or itemExternalId on refused items, currency or
// currencyCode, codes and amounts as numbers or strings, missing fields and
// null. Unknown fields are passed over and unknown words kept as they are.
//
// Amounts are [Money], minor units in an int64. They never meet a float, and one
// that does not fit exactly is an error, never rounded. A commission alone is
// then kept as iyzico's text, for nothing is decided by it and the statuses
// beside it must be read.
//
// # Privacy
//
// Keys are a [Secret]; recipients, names and descriptions are [Private]. Neither
// prints itself. iyzico's messages may quote what they complain about: what
// looks like an account, and words of the request's recipients and names, are
// replaced by "***" before anyone sees them.
//
// # Files
//
//	client.go    Config, New, the connections
//	call.go      a call from request to outcome
//	sign.go      the signature
//	error.go     outcomes, kinds, Error
//	init.go auth.go retrieve.go item.go cancel.go balance.go   a call each
//	enum.go      iyzico's words
//	money.go     amounts
//	decode.go    answers, and the forms iyzico gives to values
//	scan.go      the reader of JSON beneath
//	private.go sanitise.go   what must not be seen
//
// Facts about iyzico are from docs.iyzico.com and the code of its SDKs. Where
// a comment says "not documented", nothing was found.
package iyzico
