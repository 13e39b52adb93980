package iyzicotest

import (
	"encoding/json"
	"strconv"
)

// The answers are written by hand: a report of a thousand items is written
// beside a benchmark, and amounts come in the three forms of the published
// samples (201.00, 20.00000000, 0), which a client has to read.

// AppendJSON appends the body of the answer to b. The locale, tr or en, is the
// language of documented messages.
func (a *Answer) AppendJSON(b []byte, op Op, locale string) []byte {
	if a.Code != "" {
		b = append(b, `{"status":"failure","errorCode":`...)
		b = appendString(b, a.Code)
		b = append(b, `,"errorMessage":`...)
		b = appendString(b, translated(a.Code, a.Message, locale))
		b = append(b, `,"locale":`...)
		b = appendString(b, locale)
	} else {
		b = append(b, `{"status":"success"`...)
	}
	b = append(b, `,"systemTime":`...)
	b = strconv.AppendInt(b, a.SystemTime.UnixMilli(), 10)
	if a.ConversationID != "" {
		b = append(b, `,"conversationId":`...)
		b = appendString(b, a.ConversationID)
	}
	if a.Code == "" {
		switch op {
		case OpInit:
			b = a.appendInit(b)
		case OpRetrieve:
			b = a.appendReport(b)
		case OpItem:
			b = append(b, `,"item":`...)
			b = a.Items[0].append(b)
		case OpBalance:
			b = append(b, `,"balance":"`...)
			b = a.Balance.appendShort(b)
			b = append(b, '"')
		case OpAuth, OpCancel:
		}
	}
	return append(b, '}')
}

func (a *Answer) appendInit(b []byte) []byte {
	b = append(b, `,"requestId":`...)
	b = appendString(b, a.RequestID)
	b = append(b, `,"invalidItems":[`...)
	for i, line := range a.InvalidItems {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"externalId":`...)
		b = appendString(b, line.ExternalID)
		b = append(b, `,"errorCode":`...)
		b = appendString(b, line.ErrorCode)
		b = append(b, `,"errorMessage":`...)
		b = appendString(b, line.ErrorMessage)
		b = append(b, '}')
	}
	return append(b, ']')
}

func (a *Answer) appendReport(b []byte) []byte {
	b = append(b, `,"massPayout":{"externalId":`...)
	b = appendString(b, a.Batch.ExternalID)
	b = append(b, `,"merchantId":`...)
	b = strconv.AppendInt(b, int64(a.Batch.MerchantID), 10)
	b = append(b, `,"totalAmount":`...)
	b = a.Batch.TotalAmount.append(b, 2)
	b = append(b, `,"totalSuccessfulAmount":`...)
	b = appendTotal(b, a.Batch.TotalSuccessfulAmount)
	b = append(b, `,"massPayoutStatus":`...)
	b = appendString(b, a.Batch.Status.String())
	b = append(b, `,"totalCommissionAmount":`...)
	b = appendTotal(b, a.Batch.TotalCommissionAmount)
	b = append(b, `,"currency":`...)
	b = appendString(b, a.Batch.Currency)
	b = append(b, `},"massPayoutItems":{"items":[`...)
	for i := range a.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = a.Items[i].append(b)
	}
	b = append(b, `],"page":`...)
	b = strconv.AppendInt(b, int64(a.Page), 10)
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, int64(a.Size), 10)
	b = append(b, `,"total":`...)
	b = strconv.AppendInt(b, int64(a.Total), 10)
	return append(b, '}')
}

func (it *Item) append(b []byte) []byte {
	b = append(b, `{"itemExternalId":`...)
	b = appendString(b, it.ItemExternalID)
	b = append(b, `,"referenceCode":`...)
	b = appendString(b, it.ReferenceCode)
	if it.RequestID != "" {
		b = append(b, `,"massPayoutRequestId":`...)
		b = appendString(b, it.RequestID)
	}
	b = append(b, `,"recipientType":`...)
	b = appendString(b, it.RecipientType)
	b = append(b, `,"recipientInfo":`...)
	b = appendString(b, it.RecipientInfo)
	if it.RecipientName != "" {
		b = append(b, `,"recipientName":`...)
		b = appendString(b, it.RecipientName)
	}
	if it.Description != "" {
		b = append(b, `,"description":`...)
		b = appendString(b, it.Description)
	}
	b = append(b, `,"itemStatus":`...)
	b = appendString(b, it.Status.String())
	b = append(b, `,"errorMessages":[`...)
	if it.ErrorMessage != "" {
		b = appendString(b, it.ErrorMessage)
	}
	b = append(b, `],"totalAmount":`...)
	b = it.Amount.append(b, 2)
	b = append(b, `,"commissionAmount":`...)
	b = it.Commission.append(b, 8)
	b = append(b, `,"currencyCode":`...)
	b = appendString(b, it.Currency)
	return append(b, '}')
}

func appendTotal(b []byte, m Money) []byte {
	if m == 0 {
		return append(b, '0')
	}
	return m.append(b, 2)
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string cannot fail
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// turkish has the documented messages.
var turkish = map[string]string{
	codeSystem:       "Sistem hatası",
	codeBadSignature: "Geçersiz imza",
	codeUnknownKey:   "api bilgileri bulunamadı",
}

func translated(code, message, locale string) string {
	if text, ok := turkish[code]; ok && locale == "tr" {
		return text
	}
	return message
}
