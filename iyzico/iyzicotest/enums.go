package iyzicotest

import (
	"fmt"
	"slices"
	"strings"
)

// The choices below are what nobody documents about the API, so each is an
// assumption with its alternatives. The first constant of each type is the
// default, and the zero value means the default.

// AllInvalid says what init does when it refuses every line.
type AllInvalid string

// Answers to an init without one valid line.
const (
	AllInvalidAccept AllInvalid = "accept" // success, every line in invalidItems, as documented
	AllInvalidReject AllInvalid = "reject" // failure, no batch
)

// AuthAnswer says whether the answer to a first auth tells the truth.
type AuthAnswer string

// Answers to an auth that took.
const (
	AuthAnswerHonest  AuthAnswer = "honest"  // success
	AuthAnswerFailure AuthAnswer = "failure" // failure, and the batch is paid all the same
)

// BalanceCheck says when a batch is compared with the balance.
type BalanceCheck string

// Moments of the balance check.
const (
	BalanceCheckWorker BalanceCheck = "worker"  // after auth, at queueing: the batch shows INSUFFICIENT_BALANCE
	BalanceCheckAtAuth BalanceCheck = "at-auth" // auth answers failure, the batch stays INIT
)

// CancelAfterAuth says what cancel does to a batch that was authorised.
type CancelAfterAuth string

// Answers to a cancel that comes after the auth.
const (
	CancelAfterAuthFailure CancelAfterAuth = "failure" // failure, nothing changes
	CancelAfterAuthNoop    CancelAfterAuth = "noop"    // success, nothing changes
	CancelAfterAuthPartial CancelAfterAuth = "partial" // items still INIT are cancelled, the batch shows CANCELED, the others go on
)

// CancelUnfunded says what cancel does under INSUFFICIENT_BALANCE.
type CancelUnfunded string

// Answers to a cancel of a batch without funds.
const (
	CancelUnfundedAccept CancelUnfunded = "accept" // cancelled, as its items are INIT
	CancelUnfundedRefuse CancelUnfunded = "refuse" // failure
)

// Checksum says whether the check digits of IBANs and identity numbers count.
type Checksum string

// Treatments of wrong check digits.
const (
	ChecksumOff     Checksum = "off"     // not looked at; the published samples need this
	ChecksumInvalid Checksum = "invalid" // the line is INVALID
)

// Debit says when amount and commission leave the balance.
type Debit string

// Moments of the debit.
const (
	DebitAtQueueing Debit = "at-queueing" // the whole batch; DEPOSIT_SUCCESS gives a line back
	DebitOnSuccess  Debit = "on-success"  // a line when it is paid
)

// DuplicateExternalID says what init does with an externalId it has seen.
type DuplicateExternalID string

// Answers to a repeated externalId.
const (
	DuplicateReject DuplicateExternalID = "reject" // failure
	DuplicateReplay DuplicateExternalID = "replay" // success with the first requestId
	DuplicateSecond DuplicateExternalID = "second" // a second batch: the worst case
)

// DuplicateItem says what init does with an itemExternalId that stands twice
// in one request.
type DuplicateItem string

// Answers to an itemExternalId twice in one request.
const (
	DuplicateItemInvalid DuplicateItem = "invalid" // the second line is INVALID
	DuplicateItemAccept  DuplicateItem = "accept"  // both lines are taken, and paid
	DuplicateItemReject  DuplicateItem = "reject"  // the whole request is refused
)

// ItemOrder is the order in which a report lists the items of a batch.
type ItemOrder string

// Orders of a report's items.
const (
	ItemOrderSent        ItemOrder = "sent"         // as init had them
	ItemOrderLastChanged ItemOrder = "last-changed" // the one that moved last comes first, so lines change pages while they are read
)

// LagMode says how old a lagging answer is.
type LagMode string

// Ages of a lagging answer, for a [Settings.RetrieveLag] of d.
const (
	LagFixed   LagMode = "fixed"    // every answer shows the state of d ago
	LagRandom  LagMode = "random"   // every answer is of some age between 0 and d
	LagPerItem LagMode = "per-item" // so is every item in it, and the batch status; a young item may be in no list
)

// MissingLocale says what happens without the query parameter locale.
type MissingLocale string

// Treatments of a missing locale.
const (
	MissingLocaleAccept MissingLocale = "accept" // Turkish
	MissingLocaleReject MissingLocale = "reject" // failure 11
)

// MixedResult is the status of a batch of which some items were paid and some
// were not.
type MixedResult string

// Statuses of a mixed batch.
const (
	MixedResultCompleted MixedResult = "completed" // COMPLETED
	MixedResultFail      MixedResult = "fail"      // FAIL
	MixedResultStay      MixedResult = "stay"      // PUBLISHED_TO_QUEUE for ever
)

// PageOverflow says what retrieve does with a size above the maximum.
type PageOverflow string

// Answers to a page that is too large.
const (
	PageOverflowClamp  PageOverflow = "clamp"  // a smaller page, its size in the answer
	PageOverflowRefuse PageOverflow = "refuse" // failure
)

// Refund says whether the money of a FAILED item comes back.
type Refund string

// What follows FAILED.
const (
	RefundByDial Refund = "by-dial" // the shares depositSuccess and depositFail of [Faults]
	RefundAlways Refund = "always"  // DEPOSIT_SUCCESS, but for the share depositFail
	RefundNever  Refund = "never"   // FAILED is final, the money comes back without a status
)

// RepeatedItem says what init does with an itemExternalId that an earlier
// batch of the merchant took as a valid line.
type RepeatedItem string

// Answers to an itemExternalId of an earlier batch.
const (
	RepeatedItemAccept          RepeatedItem = "accept"           // taken again
	RepeatedItemInvalid         RepeatedItem = "invalid"          // INVALID, for ever
	RepeatedItemUnlessCancelled RepeatedItem = "unless-cancelled" // INVALID until the earlier line is cancelled
)

// RetrievePick says which batch an externalMassPayoutId names when it has
// made several.
type RetrievePick string

// Choices among batches of one externalId.
const (
	RetrieveFirst RetrievePick = "first"
	RetrieveLast  RetrievePick = "last"
	RetrieveAny   RetrievePick = "any" // another one each time
)

// SecondAuth says what auth does to a batch that was authorised before.
type SecondAuth string

// Answers to a second auth.
const (
	SecondAuthSuccess   SecondAuth = "success"    // success, paid once
	SecondAuthFailure   SecondAuth = "failure"    // failure, paid once
	SecondAuthPaysAgain SecondAuth = "pays-again" // success, and every paid item is paid again: the worst case
)

// UnknownRequest says how a requestId that names no batch, or a cancelled one
// at auth, is answered.
type UnknownRequest string

// Answers to an unknown requestId.
const (
	UnknownRequestFailure UnknownRequest = "failure" // failure with the HTTP status of any other failure
	UnknownRequestHTTP404 UnknownRequest = "http404" // failure with HTTP 404
)

// choose sets e to the named choice, or to the first one when there is no name.
func choose[T ~string](e *T, text []byte, known ...T) error {
	if len(text) == 0 {
		*e = known[0]
		return nil
	}
	if !slices.Contains(known, T(text)) {
		names := make([]string, len(known))
		for i, k := range known {
			names[i] = string(k)
		}
		return fmt.Errorf("%q is none of %s", text, strings.Join(names, ", "))
	}
	*e = T(text)
	return nil
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *AllInvalid) UnmarshalText(text []byte) error {
	return choose(e, text, AllInvalidAccept, AllInvalidReject)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *AuthAnswer) UnmarshalText(text []byte) error {
	return choose(e, text, AuthAnswerHonest, AuthAnswerFailure)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *BalanceCheck) UnmarshalText(text []byte) error {
	return choose(e, text, BalanceCheckWorker, BalanceCheckAtAuth)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *CancelAfterAuth) UnmarshalText(text []byte) error {
	return choose(e, text, CancelAfterAuthFailure, CancelAfterAuthNoop, CancelAfterAuthPartial)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *CancelUnfunded) UnmarshalText(text []byte) error {
	return choose(e, text, CancelUnfundedAccept, CancelUnfundedRefuse)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *Checksum) UnmarshalText(text []byte) error {
	return choose(e, text, ChecksumOff, ChecksumInvalid)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *Debit) UnmarshalText(text []byte) error {
	return choose(e, text, DebitAtQueueing, DebitOnSuccess)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *DuplicateExternalID) UnmarshalText(text []byte) error {
	return choose(e, text, DuplicateReject, DuplicateReplay, DuplicateSecond)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *DuplicateItem) UnmarshalText(text []byte) error {
	return choose(e, text, DuplicateItemInvalid, DuplicateItemAccept, DuplicateItemReject)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *ItemOrder) UnmarshalText(text []byte) error {
	return choose(e, text, ItemOrderSent, ItemOrderLastChanged)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *LagMode) UnmarshalText(text []byte) error {
	return choose(e, text, LagFixed, LagRandom, LagPerItem)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *MissingLocale) UnmarshalText(text []byte) error {
	return choose(e, text, MissingLocaleAccept, MissingLocaleReject)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *MixedResult) UnmarshalText(text []byte) error {
	return choose(e, text, MixedResultCompleted, MixedResultFail, MixedResultStay)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *PageOverflow) UnmarshalText(text []byte) error {
	return choose(e, text, PageOverflowClamp, PageOverflowRefuse)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *Refund) UnmarshalText(text []byte) error {
	return choose(e, text, RefundByDial, RefundAlways, RefundNever)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *RepeatedItem) UnmarshalText(text []byte) error {
	return choose(e, text, RepeatedItemAccept, RepeatedItemInvalid, RepeatedItemUnlessCancelled)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *RetrievePick) UnmarshalText(text []byte) error {
	return choose(e, text, RetrieveFirst, RetrieveLast, RetrieveAny)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *SecondAuth) UnmarshalText(text []byte) error {
	return choose(e, text, SecondAuthSuccess, SecondAuthFailure, SecondAuthPaysAgain)
}

// UnmarshalText accepts the names above, and nothing for the default.
func (e *UnknownRequest) UnmarshalText(text []byte) error {
	return choose(e, text, UnknownRequestFailure, UnknownRequestHTTP404)
}
