package worker

import (
	"errors"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/schema"
)

// A sight is what a batch's status at iyzico says about auth.
type sight int

const (
	sawNothing  sight = iota // nothing that may be believed: ask again
	sawInit                  // not authorised, as far as can be seen
	sawTaken                 // auth took
	sawCanceled              // see proof of death
	sawUnfunded              // authorised, and the balance is too small
)

// see reads a batch's status. Words that iyzico adds tomorrow say nothing.
func see(status iyzico.BatchStatus) sight {
	switch status {
	case iyzico.BatchInit:
		return sawInit
	case iyzico.BatchInProgress, iyzico.BatchPublishedToQueue, iyzico.BatchCompleted, iyzico.BatchSuccess, iyzico.BatchFail:
		return sawTaken
	case iyzico.BatchCanceled:
		return sawCanceled
	case iyzico.BatchInsufficientBalance, iyzico.BatchIyzicoInsufficientBalance:
		return sawUnfunded
	}
	return sawNothing
}

// answer is what an item's status means for its ledger, "" as long as it is open.
// MASS_PAYOUT_CANCELED alone means nothing: the whole batch decides.
func answer(status iyzico.ItemStatus) schema.PayoutStatus {
	switch status {
	case iyzico.ItemSuccess:
		return schema.Paid
	case iyzico.ItemFailed:
		return schema.Failed
	case iyzico.ItemDepositSuccess:
		return schema.Returned
	case iyzico.ItemDepositFail:
		return schema.ReturnFailed
	case iyzico.ItemInit, iyzico.ItemQueued, iyzico.ItemProcessing, iyzico.ItemCanceled, iyzico.ItemInvalid:
	}
	return ""
}

// moved reports whether an item has gone past the bank's door.
func moved(status iyzico.ItemStatus) bool {
	return answer(status) != "" || status == iyzico.ItemQueued || status == iyzico.ItemProcessing
}

// refused reports whether iyzico answered that it did not do it. A refusal with
// an HTTP 5xx is none: the server may have died on the way out.
func refused(err error) bool {
	var e *iyzico.Error
	return errors.As(err, &e) && e.Outcome == iyzico.OutcomeRefused && e.HTTPStatus < 500
}
