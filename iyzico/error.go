package iyzico

import (
	"errors"
	"fmt"
	"strings"
)

// An Outcome is what the end of a call proves about its effect.
type Outcome int

// The outcomes. The zero value is the one that obliges to look before doing
// anything else.
const (
	// OutcomeUnknown: the answer was lost or cannot be understood. The call may
	// have had its effect, may have it later, or never.
	OutcomeUnknown Outcome = iota
	// OutcomeAccepted: iyzico answered "success". It is the outcome of a nil error.
	OutcomeAccepted
	// OutcomeRefused: iyzico answered "failure".
	OutcomeRefused
	// OutcomeNotSent: provably not one byte of the request left, because it was
	// not a valid one or no connection could be had.
	OutcomeNotSent
)

// String returns unknown, accepted, refused or not_sent, fit for a label.
func (o Outcome) String() string {
	switch o {
	case OutcomeAccepted:
		return "accepted"
	case OutcomeRefused:
		return "refused"
	case OutcomeNotSent:
		return "not_sent"
	case OutcomeUnknown:
	}
	return "unknown"
}

// A Kind says what a refusal is about, as far as its code tells.
type Kind int

// The kinds. No error code of the mass payout itself is documented, so every
// code not listed here is about the batch, or nobody knows.
const (
	// KindBatch is every other code, and none: this batch, or nobody knows.
	KindBatch Kind = iota
	// KindTraffic is about the account or the traffic, not about what was asked:
	// codes 1, 2, 1000, 1001, 2000, 9000, 50000, 100001, and any HTTP 5xx. It
	// passes, or it takes a person, and no batch is to blame.
	KindTraffic
	// KindSeenBefore is a code of [Config.SeenBeforeCodes]: iyzico may have the
	// batch already.
	KindSeenBefore
)

// String returns batch, traffic or seen_before, fit for a label.
func (k Kind) String() string {
	switch k {
	case KindTraffic:
		return "traffic"
	case KindSeenBefore:
		return "seen_before"
	case KindBatch:
	}
	return "batch"
}

// trafficCodes are the documented codes that say nothing about the batch.
// Sources: docs.iyzico.com, error codes and limiters; iyzico's page on
// validation errors for 1000, 1001 and 9000.
var trafficCodes = map[string]bool{
	"1":      true, // system error
	"2":      true, // system error
	"100001": true, // system error; in practice a product that is not switched on
	"1000":   true, // invalid signature
	"1001":   true, // API key not found, or of the other environment
	"2000":   true, // for marketplaces only
	"9000":   true, // account frozen for a while
	"50000":  true, // request limit exceeded
}

// Error is the only error the calls of [Client] return.
//
// Its text holds no key, and neither Code, Group nor Message an account or a
// name of the request: what looks like one is "***".
type Error struct {
	Op         string  // one of the Op constants
	HTTPStatus int     // 0 if no answer came
	Code       string  // iyzico's errorCode, "" if it sent none
	Group      string  // iyzico's errorGroup, mostly ""
	Message    string  // iyzico's errorMessage, made fit for logs, at most 200 runes
	Outcome    Outcome // what the error proves
	Kind       Kind    // what a refusal is about; KindTraffic also after an HTTP 5xx of any shape

	err error // why there is no answer to go by
}

// Error returns the operation, what it proves, and iyzico's words.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "iyzico %s: %s", e.Op, strings.ReplaceAll(e.Outcome.String(), "_", " "))
	if e.Code != "" {
		fmt.Fprintf(&b, ", code %s", e.Code)
	}
	if e.Group != "" {
		fmt.Fprintf(&b, ", group %s", e.Group)
	}
	if e.HTTPStatus != 0 {
		fmt.Fprintf(&b, ", HTTP %d", e.HTTPStatus)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.err != nil {
		fmt.Fprintf(&b, ": %s", sanitise(e.err.Error(), nil))
	}
	return b.String()
}

// Unwrap returns the cause, so that errors.Is finds [context.Canceled],
// [context.DeadlineExceeded] and the errors of package net.
func (e *Error) Unwrap() error { return e.err }

// OutcomeOf says what err proves: nil is accepted, an [Error] anywhere in the
// chain speaks for itself, and anything else is unknown.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeAccepted
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Outcome
	}
	return OutcomeUnknown
}

// KindOf returns the kind of the [Error] in err's chain, and [KindBatch] if
// there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindBatch
}

// CodeOf returns iyzico's error code in err's chain, "" if there is none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
