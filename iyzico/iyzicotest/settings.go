package iyzicotest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Settings say how the provider behaves where the documentation is silent.
// Every field is an assumption. The zero value is what seems most likely, with
// everything settled within a second, balance without end, no failures and no
// limits; the alternatives are there so that a client can be tried against
// each, the worst included.
type Settings struct {
	// AllInvalid: an init without one valid line.
	AllInvalid AllInvalid `json:"allInvalid"`
	// AuthAnswer: whether an auth that took says so.
	AuthAnswer AuthAnswer `json:"authAnswer"`
	// AuthVisibleAfter is how long a batch still shows INIT after its auth
	// was accepted. A cancel in between wins. Default: at once.
	AuthVisibleAfter Duration `json:"authVisibleAfter"`
	// Balance is what each merchant begins with. Default: without end.
	Balance *Money `json:"balance"`
	// BalanceCheck: when a batch is compared with the balance.
	BalanceCheck BalanceCheck `json:"balanceCheck"`
	// CancelAfterAuth: cancel of an authorised batch.
	CancelAfterAuth CancelAfterAuth `json:"cancelAfterAuth"`
	// CancelUnfunded: cancel under INSUFFICIENT_BALANCE.
	CancelUnfunded CancelUnfunded `json:"cancelUnfunded"`
	// Checksum: whether check digits count.
	Checksum Checksum `json:"checksum"`
	// CommissionBasisPoints is a commission of hundredths of a percent of
	// the amount, rounded down, instead of CommissionFlat. Default: none.
	CommissionBasisPoints int64 `json:"commissionBasisPoints"`
	// CommissionFlat is the commission of a line. Default: 20.00, as in the
	// published samples.
	CommissionFlat *Money `json:"commissionFlat"`
	// Debit: when amount and commission leave the balance.
	Debit Debit `json:"debit"`
	// DuplicateExternalID: a repeated externalId with the same content.
	DuplicateExternalID DuplicateExternalID `json:"duplicateExternalId"`
	// DuplicateItem: an itemExternalId twice in one request.
	DuplicateItem DuplicateItem `json:"duplicateItem"`
	// DuplicateOther: a repeated externalId with other content.
	DuplicateOther DuplicateExternalID `json:"duplicateOther"`
	// Fate decides what becomes of items by their itemExternalId, before any
	// dial does. It must not call the provider. Default: the dials decide.
	Fate func(itemExternalID string) Fate `json:"-"`
	// HTTPFailure is the HTTP status of an answer with status failure: 200,
	// 400 or 422. Default: 400 for init, as documented, and 200 elsewhere.
	HTTPFailure int `json:"httpFailure"`
	// HTTPRateLimit is the HTTP status of code 50000: 200 or 429. Default: 200.
	HTTPRateLimit int `json:"httpRateLimit"`
	// HTTPSignature is the HTTP status of codes 1000 and 1001: 200 or 401.
	// Default: 401.
	HTTPSignature int `json:"httpSignature"`
	// ItemOrder: the order of the items over the pages of a report.
	ItemOrder ItemOrder `json:"itemOrder"`
	// ItemWithoutRequestID leaves massPayoutRequestId out of the single item,
	// so that a lost requestId cannot be found again.
	ItemWithoutRequestID bool `json:"itemWithoutRequestId"`
	// MaskRecipients shows recipientInfo as TR33****1326.
	MaskRecipients bool `json:"maskRecipients"`
	// MaxBodyBytes is the largest request body. Default: 64 MiB.
	MaxBodyBytes int64 `json:"maxBodyBytes"`
	// MaxItems is how many items an init may have. Default: any number.
	MaxItems int `json:"maxItems"`
	// MaxPageSize is how many items a page may have. Default: any number.
	MaxPageSize int `json:"maxPageSize"`
	// MissingLocale: a call without ?locale=.
	MissingLocale MissingLocale `json:"missingLocale"`
	// MixedResult: the status of a batch paid in part.
	MixedResult MixedResult `json:"mixedResult"`
	// PageOverflow: a page size above MaxPageSize.
	PageOverflow PageOverflow `json:"pageOverflow"`
	// PageWithRequestID shows massPayoutRequestId in the items of pages too.
	PageWithRequestID bool `json:"pageWithRequestId"`
	// RateLimits is how many calls of an operation a merchant has in a
	// minute. Default: any number.
	RateLimits map[Op]int `json:"rateLimits"`
	// Refund: whether the money of a FAILED item comes back.
	Refund Refund `json:"refund"`
	// RefundAfter is the time from FAILED to DEPOSIT_*. Default: 100ms.
	RefundAfter Duration `json:"refundAfter"`
	// RepeatedItem: an itemExternalId of an earlier batch.
	RepeatedItem RepeatedItem `json:"repeatedItem"`
	// RequestTTL is how long after init a batch can be authorised or
	// cancelled while it is INIT. Default: for ever.
	RequestTTL Duration `json:"requestTtl"`
	// ResumeWhenFunded lets a batch under INSUFFICIENT_BALANCE go on by
	// itself when there is money.
	ResumeWhenFunded bool `json:"resumeWhenFunded"`
	// RetrieveLag is how old retrieve and item answers may be. A batch younger
	// than that is unknown to them. Default: not at all.
	RetrieveLag Duration `json:"retrieveLag"`
	// RetrieveLagMode: how RetrieveLag becomes an age.
	RetrieveLagMode LagMode `json:"retrieveLagMode"`
	// RetrievePick: an externalMassPayoutId that names several batches.
	RetrievePick RetrievePick `json:"retrievePick"`
	// SecondAuth: auth of an authorised batch.
	SecondAuth SecondAuth `json:"secondAuth"`
	// SettleWithin is the time from auth to a settled batch, of which every
	// step takes its share. Default: 800ms.
	SettleWithin Duration `json:"settleWithin"`
	// StrictJSON refuses fields that are not documented.
	StrictJSON bool `json:"strictJson"`
	// UnknownRequest: a requestId that names no batch, or a cancelled one at
	// auth.
	UnknownRequest UnknownRequest `json:"unknownRequest"`
}

// Fate is what becomes of an item.
type Fate uint8

// Fates of items.
const (
	FateByDial       Fate = iota // the dials of [Faults] decide
	FatePaid                     // SUCCESS
	FateInvalid                  // INVALID at init
	FateFailed                   // FAILED, and it stays so
	FateReturned                 // FAILED, then DEPOSIT_SUCCESS
	FateReturnFailed             // FAILED, then DEPOSIT_FAIL
)

// Duration is a [time.Duration] that is read from text such as "250ms".
type Duration time.Duration

// UnmarshalText reads what [time.ParseDuration] does.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 250ms", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText returns what [time.Duration.String] does.
func (d Duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

// ParseSettings reads settings from a JSON object whose keys are the tags
// above. It reports every mistake, unknown keys among them, at once.
func ParseSettings(data []byte) (Settings, error) {
	var s Settings
	if err := decodeFields(data, &s); err != nil {
		return Settings{}, err
	}
	if err := s.Validate(); err != nil {
		return Settings{}, err
	}
	return s, nil
}

// Validate reports every mistake in the settings at once.
func (s Settings) Validate() error {
	_, err := s.withDefaults()
	return err
}

const (
	defaultCommission   Money = 2000
	defaultMaxBodyBytes       = 64 << 20
	defaultRefundAfter        = Duration(100 * time.Millisecond)
	defaultSettleWithin       = Duration(800 * time.Millisecond)
)

// withDefaults returns the settings with every default written out.
func (s Settings) withDefaults() (Settings, error) {
	var mistakes []error
	wrong := func(key, format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	v := reflect.ValueOf(&s).Elem()
	for i, field := range reflect.VisibleFields(v.Type()) {
		f, key := v.Field(i), field.Tag.Get("json")
		switch field.Type.Kind() { //nolint:exhaustive // these are the kinds with something to check
		case reflect.String: // a choice: reading its own name checks it
			choice := f.Addr().Interface().(interface{ UnmarshalText([]byte) error })
			if err := choice.UnmarshalText([]byte(f.String())); err != nil {
				wrong(key, "%v", err)
			}
		case reflect.Int, reflect.Int64:
			if f.Int() < 0 {
				wrong(key, "must not be negative")
			}
		case reflect.Pointer:
			if !f.IsNil() && f.Elem().Int() < 0 { // what was no amount is negative too
				wrong(key, "want an amount such as 1000.00, not negative")
			}
		}
	}
	for op, limit := range s.RateLimits {
		if op.index() < 0 || limit < 1 {
			wrong("rateLimits", "%q: %d: want an operation (%s) and a limit above 0", op, limit, opNames())
		}
	}
	if s.CommissionBasisPoints > 10_000 {
		wrong("commissionBasisPoints", "more than the amount itself")
	}
	if s.CommissionFlat != nil && s.CommissionBasisPoints != 0 {
		wrong("commissionBasisPoints", "there is a commissionFlat as well; give one of them")
	}
	setHTTP := func(key string, status *int, standard int, others ...int) {
		if *status == 0 {
			*status = standard
			return
		}
		if !slices.Contains(others, *status) {
			wrong(key, "%d is none of %v", *status, others)
		}
	}
	setHTTP("httpFailure", &s.HTTPFailure, 0, 200, 400, 422)
	setHTTP("httpRateLimit", &s.HTTPRateLimit, 200, 200, 429)
	setHTTP("httpSignature", &s.HTTPSignature, 401, 200, 401)
	if s.CommissionFlat == nil {
		s.CommissionFlat = new(defaultCommission)
	}
	if s.MaxBodyBytes == 0 {
		s.MaxBodyBytes = defaultMaxBodyBytes
	}
	if s.RefundAfter == 0 {
		s.RefundAfter = defaultRefundAfter
	}
	if s.SettleWithin == 0 {
		s.SettleWithin = defaultSettleWithin
	}
	return s, errors.Join(mistakes...)
}
