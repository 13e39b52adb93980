package iyzicotest

// fault is why a line is INVALID.
type fault uint8

const (
	sound fault = iota
	faultMissing
	faultRecipient
	faultAmount
	faultCurrency
	faultTwice
	faultSeen
	faultCheckDigits
	faultDial
)

// code and message of a fault. They name no value of the line.
func (f fault) text() (code, message string) {
	texts := [...][2]string{
		faultMissing:     {"SIM2001", "a field of the line is missing"},
		faultRecipient:   {"SIM2002", "recipientType or recipientInfo is invalid"},
		faultAmount:      {"SIM2003", "amount is invalid"},
		faultCurrency:    {"SIM2004", "currency is invalid"},
		faultTwice:       {"SIM2005", "itemExternalId stands twice in the request"},
		faultSeen:        {"SIM2006", "itemExternalId was used in an earlier batch"},
		faultCheckDigits: {"SIM2007", "check digits are wrong"},
		faultDial:        {"SIM2008", "refused by the simulator"},
	}
	return texts[f][0], texts[f][1]
}

const bankRefusal = "SIM3001 refused by the bank"

type currency uint8

var currencies = [...]string{"", "TRY", "USD", "EUR"}

type recipientType uint8

var recipientTypes = [...]string{"", "IBAN", "MEMBER_ID", "IDENTITY_NUMBER", "PHONE"}

// place of a word in a list whose first entry stands for every other word.
func place(words []string, word string) int {
	for i := 1; i < len(words); i++ {
		if words[i] == word {
			return i
		}
	}
	return 0
}

// check says what is wrong with a line for itself, without its neighbours.
func (p *Provider) check(line *InitItem) fault {
	fate := p.fated(line.ItemExternalID)
	switch {
	case line.ItemExternalID == "" || line.RecipientInfo == "" || line.RecipientType == "":
		return faultMissing
	case place(recipientTypes[:], line.RecipientType) == 0:
		return faultRecipient
	case line.RecipientType == "IBAN" && line.RecipientName == "":
		return faultMissing // documented as required for an IBAN
	case line.Amount.Value <= 0: // what was no amount is below zero too
		return faultAmount
	case place(currencies[:], line.Amount.Currency) == 0:
		return faultCurrency
	case p.settings.Checksum == ChecksumInvalid && !checkDigits(line):
		return faultCheckDigits
	case fate == FateInvalid || (fate == FateByDial && p.chance(p.faults.InvalidItems)):
		return faultDial
	}
	return sound
}

func checkDigits(line *InitItem) bool {
	switch line.RecipientType {
	case "IBAN":
		return validIBAN(line.RecipientInfo)
	case "IDENTITY_NUMBER":
		return validIdentityNumber(line.RecipientInfo)
	default:
		return true // the others have none
	}
}

// validIBAN checks a Turkish IBAN: 26 characters, ISO 7064 mod 97.
func validIBAN(iban string) bool {
	if len(iban) != 26 || iban[:2] != "TR" {
		return false
	}
	remainder := 0
	for i := range len(iban) {
		c := iban[(i+4)%len(iban)] // country and check digits count last
		switch {
		case c >= '0' && c <= '9':
			remainder = (remainder*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return remainder == 1
}

// validIdentityNumber checks a TCKN: 11 digits, the last two from the others.
func validIdentityNumber(number string) bool {
	if len(number) != 11 || number[0] == '0' {
		return false
	}
	odd, even, sum := 0, 0, 0
	for i := range 11 {
		c := number[i]
		if c < '0' || c > '9' {
			return false
		}
		digit := int(c - '0')
		switch {
		case i == 9 && digit != ((7*odd-even)%10+10)%10:
			return false
		case i == 10:
			return digit == sum%10
		case i%2 == 0:
			odd += digit
		default:
			even += digit
		}
		sum += digit
	}
	return false
}
