package iyzicotest

import "iter"

// Transfer is money that went to a recipient, once.
type Transfer struct {
	APIKey         string
	ItemExternalID string
	ExternalID     string
	RequestID      string
	Amount         Money // what the recipient got, without commission
	Currency       string
	Status         ItemStatus // always SUCCESS, as no other status moves money
}

// transfer is a Transfer as it is kept.
type transfer struct {
	batch *batch
	item  int32
}

// transfer writes a transfer into the books.
func (p *Provider) transfer(b *batch, i int) {
	it := &b.items[i]
	if it.paid || !b.debited { // else the batch's debit covers it
		p.credit(b.account, -(it.amount + it.commission))
	}
	it.paid = true
	p.transfers = append(p.transfers, transfer{b, int32(i)})
}

// BatchEntry is a batch as the books show it.
type BatchEntry struct {
	APIKey     string
	ExternalID string
	RequestID  string
	Status     BatchStatus
	Items      map[ItemStatus]int // how many, without statuses that none has
}

// AccountEntry is a merchant as the books show it.
type AccountEntry struct {
	APIKey  string
	Balance Money // negative after a payment beyond the balance; endless balances begin at 0
}

// Books are what has happened until they were opened.
type Books struct {
	Transfers iter.Seq[Transfer] // in the order they were made; may be ranged over repeatedly
	Count     int                // of transfers
	Calls     map[Op]int         // every operation is there; counts calls whatever became of them
	Batches   []BatchEntry       // in the order of their init
	Accounts  []AccountEntry     // in the order of their first call
}

// Books opens the books at the present time.
func (p *Provider) Books() Books {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(p.clock())

	b := Books{Count: len(p.transfers), Calls: make(map[Op]int, len(ops))}
	for i, op := range ops {
		b.Calls[op] = p.calls[i]
	}
	for _, acct := range p.accounts {
		b.Accounts = append(b.Accounts, AccountEntry{acct.apiKey, acct.balance})
	}
	for _, batch := range p.batches {
		entry := BatchEntry{batch.account.apiKey, batch.externalID, batch.requestID, batch.status, map[ItemStatus]int{}}
		for status, n := range batch.counts {
			if n > 0 {
				entry.Items[ItemStatus(status)] = n
			}
		}
		b.Batches = append(b.Batches, entry)
	}
	// Transfers are only ever added, and what they show never changes, so the
	// present ones can be read without the lock: there may be millions.
	b.Transfers = shown(p.transfers)
	return b
}

// Lines are the statuses of a batch's items by itemExternalId, as the books have
// them; nil if there is no such batch.
func (p *Provider) Lines(requestID string) map[string]ItemStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(p.clock())
	b := p.byRequestID[requestID]
	if b == nil {
		return nil
	}
	lines := make(map[string]ItemStatus, len(b.items))
	for i := range b.items {
		lines[b.items[i].id] = b.items[i].status
	}
	return lines
}

func shown(kept []transfer) iter.Seq[Transfer] {
	return func(yield func(Transfer) bool) {
		for _, t := range kept {
			it := &t.batch.items[t.item]
			if !yield(Transfer{
				APIKey:         t.batch.account.apiKey,
				ItemExternalID: it.id,
				ExternalID:     t.batch.externalID,
				RequestID:      t.batch.requestID,
				Amount:         it.amount,
				Currency:       currencies[it.currency],
				Status:         ItemSuccess,
			}) {
				return
			}
		}
	}
}
