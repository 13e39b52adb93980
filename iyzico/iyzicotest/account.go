package iyzicotest

import "time"

// account is a merchant.
type account struct {
	apiKey     string
	merchantID int
	balance    Money // means nothing where balances are without end
	externals  map[string][]*batch
	seen       map[string]int // lines alive by itemExternalId, where settings ask for it
	windows    [len(ops)]window
	faults     *Faults // of its calls; nil: those of all
}

// window counts the calls of an operation in a minute.
type window struct {
	minute time.Time
	calls  int
}

// endless is the balance shown for one without end.
const endless Money = 99_999_999_999_00

// account returns the merchant with this key, a new one if need be.
func (p *Provider) account(apiKey string) *account {
	if acct := p.byKey[apiKey]; acct != nil {
		return acct
	}
	acct := &account{
		apiKey:     apiKey,
		merchantID: len(p.accounts) + 1,
		externals:  map[string][]*batch{},
		seen:       map[string]int{},
	}
	if p.settings.Balance != nil {
		acct.balance = *p.settings.Balance
	}
	p.accounts = append(p.accounts, acct)
	p.byKey[apiKey] = acct
	return acct
}

// Balance answers with what the merchant has left.
func (p *Provider) Balance(apiKey string) Answer {
	return p.call(OpBalance, apiKey, func(acct *account) Answer {
		if p.settings.Balance == nil {
			return Answer{Balance: endless}
		}
		return Answer{Balance: acct.balance}
	})
}

// Deposit adds money to a merchant's balance. Batches that wait for it go on
// if the settings let them.
func (p *Provider) Deposit(apiKey string, amount Money) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(p.clock())
	p.credit(p.account(apiKey), amount)
	p.resume()
}

// commission of a line of this amount.
func (p *Provider) commission(amount Money) Money {
	points := Money(p.settings.CommissionBasisPoints)
	if points == 0 {
		return *p.settings.CommissionFlat
	}
	// In two parts, so that no amount the API can carry overflows.
	return amount/10000*points + amount%10000*points/10000
}

func (p *Provider) credit(acct *account, amount Money) { acct.balance += amount }

// affords says whether the merchant has the money for what a batch has yet to
// pay.
func (p *Provider) affords(b *batch) bool {
	return p.settings.Balance == nil || b.account.balance >= b.sum(ItemInit)
}

// resume lets batches without funds go on, oldest first, where there is money
// now and the settings let them.
func (p *Provider) resume() {
	if !p.settings.ResumeWhenFunded {
		return
	}
	waiting := p.unfunded
	p.unfunded = nil
	for _, b := range waiting {
		if b.status == BatchInsufficientBalance {
			p.publish(b) // back into the list if the money is still missing
		}
	}
}
