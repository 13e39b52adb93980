package iyzico

// The enumerations are open: a word that iyzico invents tomorrow is kept as it
// came, and whoever switches on one must treat the unknown as not final.

// BatchStatus is iyzico's massPayoutStatus.
type BatchStatus string

// The batch statuses of iyzico's page on reports. BatchSuccess and
// BatchIyzicoInsufficientBalance are known from an unmerged change to iyzico's
// Java SDK alone (iyzipay-java pull 184).
const (
	BatchInit                      BatchStatus = "INIT"                        // received, not authorised
	BatchInProgress                BatchStatus = "IN_PROGRESS"                 // authorised
	BatchPublishedToQueue          BatchStatus = "PUBLISHED_TO_QUEUE"          // at least one item went to the bank
	BatchCompleted                 BatchStatus = "COMPLETED"                   // items decide; partial success has no word of its own
	BatchSuccess                   BatchStatus = "SUCCESS"                     // not documented
	BatchFail                      BatchStatus = "FAIL"                        // every item failed at the bank
	BatchInsufficientBalance       BatchStatus = "INSUFFICIENT_BALANCE"        // the merchant's balance is too small
	BatchIyzicoInsufficientBalance BatchStatus = "IYZICO_INSUFFICIENT_BALANCE" // not documented
	BatchCanceled                  BatchStatus = "CANCELED"
)

var batchStatuses = []BatchStatus{
	BatchInit, BatchInProgress, BatchPublishedToQueue, BatchCompleted, BatchSuccess, BatchFail,
	BatchInsufficientBalance, BatchIyzicoInsufficientBalance, BatchCanceled,
}

// ItemStatus is iyzico's itemStatus.
type ItemStatus string

// The item statuses of iyzico's pages on reports and on a single item.
const (
	ItemInvalid        ItemStatus = "INVALID"              // refused by init
	ItemInit           ItemStatus = "INIT"                 // stored; may lag behind the batch
	ItemQueued         ItemStatus = "QUEUED"               // on the way
	ItemProcessing     ItemStatus = "PROCESSING"           // at the bank
	ItemSuccess        ItemStatus = "SUCCESS"              // the only one that means paid
	ItemFailed         ItemStatus = "FAILED"               // not paid; the money may come back later
	ItemCanceled       ItemStatus = "MASS_PAYOUT_CANCELED" // its batch was cancelled
	ItemDepositSuccess ItemStatus = "DEPOSIT_SUCCESS"      // FAILED, and the money came back to the merchant
	ItemDepositFail    ItemStatus = "DEPOSIT_FAIL"         // FAILED, and the money did not come back
)

var itemStatuses = []ItemStatus{
	ItemInit, ItemSuccess, ItemProcessing, ItemQueued, ItemFailed, ItemInvalid, ItemCanceled,
	ItemDepositSuccess, ItemDepositFail,
}

// ItemType chooses which items of a batch a report lists.
type ItemType string

// The two lists of a batch. No way to ask for both at once is documented.
const (
	ItemsValid   ItemType = "VALID"
	ItemsInvalid ItemType = "INVALID"
)

// RecipientType says what the recipient of an item is known by.
type RecipientType string

// The recipient types of iyzico's page on init.
const (
	RecipientIBAN           RecipientType = "IBAN"            // needs a recipient name
	RecipientMemberID       RecipientType = "MEMBER_ID"       // an iyzico member
	RecipientIdentityNumber RecipientType = "IDENTITY_NUMBER" // TCKN
	RecipientPhone          RecipientType = "PHONE"           // +90 and ten digits
)

var recipientTypes = []RecipientType{RecipientIBAN, RecipientMemberID, RecipientIdentityNumber, RecipientPhone}

// Purpose is what a batch is paid for.
type Purpose string

// The purposes of iyzico's English page on init; the Turkish one lists the
// first five only.
const (
	PurposeSalary     Purpose = "SALARY"
	PurposeBonus      Purpose = "BONUS"
	PurposeSettlement Purpose = "SETTLEMENT"
	PurposeGoods      Purpose = "GOODS"
	PurposeServices   Purpose = "SERVICES"
	PurposeCashback   Purpose = "CASHBACK"
	PurposeRebates    Purpose = "REBATES"
	PurposeDonations  Purpose = "DONATIONS"
)

// Currency is an ISO 4217 code.
type Currency string

// The currencies of iyzico's Turkish page on init. All have two decimals, which
// [Money] relies on.
const (
	TRY Currency = "TRY"
	USD Currency = "USD"
	EUR Currency = "EUR"
)

var currencies = []Currency{TRY, USD, EUR}
