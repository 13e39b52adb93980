package iyzicotest

// BatchStatus is the massPayoutStatus of the API.
type BatchStatus uint8

// Statuses of a batch.
const (
	BatchInit BatchStatus = iota
	BatchInProgress
	BatchPublishedToQueue
	BatchCompleted
	BatchFail
	BatchInsufficientBalance
	BatchCanceled
)

// String returns the word of the API.
func (s BatchStatus) String() string {
	return [...]string{
		BatchInit:                "INIT",
		BatchInProgress:          "IN_PROGRESS",
		BatchPublishedToQueue:    "PUBLISHED_TO_QUEUE",
		BatchCompleted:           "COMPLETED",
		BatchFail:                "FAIL",
		BatchInsufficientBalance: "INSUFFICIENT_BALANCE",
		BatchCanceled:            "CANCELED",
	}[s]
}

// ItemStatus is the itemStatus of the API.
type ItemStatus uint8

// Statuses of an item.
const (
	ItemInit ItemStatus = iota
	ItemInvalid
	ItemQueued
	ItemProcessing
	ItemSuccess
	ItemFailed
	ItemDepositSuccess
	ItemDepositFail
	ItemCanceled
)

const itemStatuses = int(ItemCanceled) + 1

// String returns the word of the API.
func (s ItemStatus) String() string {
	return [itemStatuses]string{
		ItemInit:           "INIT",
		ItemInvalid:        "INVALID",
		ItemQueued:         "QUEUED",
		ItemProcessing:     "PROCESSING",
		ItemSuccess:        "SUCCESS",
		ItemFailed:         "FAILED",
		ItemDepositSuccess: "DEPOSIT_SUCCESS",
		ItemDepositFail:    "DEPOSIT_FAIL",
		ItemCanceled:       "MASS_PAYOUT_CANCELED",
	}[s]
}
