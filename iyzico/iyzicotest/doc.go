// Package iyzicotest is a provider of mass payouts that keeps books: iyzico's
// Mass Payout API as far as it is documented, every undocumented point a
// setting, and every transfer written down.
//
// It judges a client, so it shares no code with one. It comes in two layers.
//
// [Provider] is the state machine and the books. It has no HTTP, no goroutines,
// no clock and no randomness of its own: time comes from a function, chance
// from a given source, and what happens by itself (a batch that is queued,
// sent to the bank and settled) happens when somebody looks, at the time it
// was due. The same calls at the same times give the same answers.
//
//	          auth                                   all items final
//	batch INIT ──▶ IN_PROGRESS ──▶ PUBLISHED_TO_QUEUE ──▶ COMPLETED | FAIL
//	        └ cancel ▶ CANCELED └▶ INSUFFICIENT_BALANCE
//
//	item  INVALID (refused at init)
//	      INIT ──▶ QUEUED ──▶ PROCESSING ──▶ SUCCESS | FAILED ──▶ DEPOSIT_SUCCESS | DEPOSIT_FAIL
//	        └ cancel ▶ MASS_PAYOUT_CANCELED
//
// Items move in slices, after their batch: a batch is PUBLISHED_TO_QUEUE while
// all its items are still INIT, as the documentation shows it.
//
// [Server] puts the six endpoints before a Provider, verifies IYZWSv2
// signatures over the bytes it received, and answers under /_simulator:
//
//	GET  /_simulator/books    transfers, calls, batches, accounts
//	GET  /_simulator/faults   the dials in force
//	POST /_simulator/faults   new dials, {} for none; see [Faults]; ?apiKey=KEY for the calls of one merchant
//	POST /_simulator/deposit  {"apiKey":"…","amount":"100.00"}: money for a merchant
//	POST /_simulator/reset    no batches, no books, no faults
//
// # Books
//
// A transfer is written for every time money moves to a recipient, at the
// moment its item becomes SUCCESS. A payment made twice is two transfers. A
// FAILED item moved no money and is no transfer, whether or not its money came
// back.
//
// # Codes
//
// iyzico documents 1 (system error), 11 (invalid request), 24 (mandatory field
// missing), 1000 (invalid signature), 1001 (unknown key) and 50000 (rate
// limit), and these are used as documented. No code of the mass payout itself
// is documented, so the following are synthetic:
//
//	SIM1001 externalId seen before              SIM2001 a field of the line is missing
//	SIM1002 requestId or externalId unknown     SIM2002 recipient type or value
//	SIM1003 batch is cancelled                  SIM2003 amount
//	SIM1004 batch is already authorised         SIM2004 currency
//	SIM1005 batch can no longer be cancelled    SIM2005 itemExternalId twice in the request
//	SIM1006 requestId has expired               SIM2006 itemExternalId of an earlier batch
//	SIM1007 too many items                      SIM2007 check digits
//	SIM1008 page too large                      SIM2008 refused by the dial invalidItems
//	SIM1009 no valid item                       SIM3001 refused by the bank
//	SIM1010 balance too small
//	SIM1011 itemExternalId twice (whole request)
//	SIM1012 externalId seen before with other content
//	SIM1013 auth failed, it says
//	SIM1014 referenceCode unknown
//
// Balances are one pot for all currencies, as the balance in the API carries
// none.
package iyzicotest
