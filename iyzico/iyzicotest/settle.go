package iyzicotest

import "time"

// parts is how many slices of a batch move one after the other, so that a
// report in between shows items in different states.
const parts = 8

// Shares of SettleWithin, in percent, that the steps of a batch take. With the
// last slice through, they add up to less than the whole.
const (
	toPublish    = 10 // IN_PROGRESS
	toQueue      = 10 // PUBLISHED_TO_QUEUE, the items still INIT
	betweenParts = 2  // from one slice to the next
	toBank       = 20 // QUEUED
	atBank       = 20 // PROCESSING
	toFinish     = 10 // all items final, the batch not yet
)

func (p *Provider) share(percent int) time.Duration {
	return time.Duration(p.settings.SettleWithin) * time.Duration(percent) / 100
}

// start is the moment an auth shows. A cancel that came first has voided it.
func (p *Provider) start(b *batch) {
	if b.status != BatchInit {
		return
	}
	p.setBatch(b, BatchInProgress)
	p.after(p.share(toPublish), func() { p.publish(b) })
}

// publish sends a batch on its way if there is money for it.
func (p *Provider) publish(b *batch) {
	if b.status == BatchCanceled {
		return
	}
	short := p.settings.BalanceCheck == BalanceCheckWorker && p.chance(p.faults.LowBalance)
	if short || !p.affords(b) {
		if b.status != BatchInsufficientBalance {
			p.setBatch(b, BatchInsufficientBalance)
		}
		p.unfunded = append(p.unfunded, b)
		return
	}
	if p.settings.Debit == DebitAtQueueing {
		p.credit(b.account, -b.sum(ItemInit))
		b.debited = true
	}
	p.setBatch(b, BatchPublishedToQueue)
	size := (len(b.items) + parts - 1) / parts
	for part, lo := 0, 0; lo < len(b.items); part, lo = part+1, lo+size {
		hi := min(lo+size, len(b.items))
		p.after(p.share(toQueue+part*betweenParts), func() { p.queue(b, lo, hi) })
	}
}

// queue takes the items of a slice that nobody has cancelled.
func (p *Provider) queue(b *batch, lo, hi int) {
	p.move(b, lo, hi, ItemInit, ItemQueued)
	p.after(p.share(toBank), func() {
		p.move(b, lo, hi, ItemQueued, ItemProcessing)
		p.after(p.share(atBank)+p.faults.SettleDelay.duration(), func() { p.settle(b, lo, hi) })
	})
}

func (p *Provider) move(b *batch, lo, hi int, from, to ItemStatus) {
	for i := lo; i < hi; i++ {
		if b.items[i].status == from {
			p.set(b, i, to)
		}
	}
}

// settle is the bank's answer to a slice.
func (p *Provider) settle(b *batch, lo, hi int) {
	var refunds []refund
	for i := lo; i < hi; i++ {
		if b.items[i].status != ItemProcessing {
			continue
		}
		fate := p.fate(&b.items[i])
		if fate == FatePaid {
			p.set(b, i, ItemSuccess)
			for range b.auths {
				p.transfer(b, i)
			}
			continue
		}
		p.set(b, i, ItemFailed)
		switch {
		case fate != FateFailed:
			refunds = append(refunds, refund{i, fate})
		case p.settings.Refund == RefundNever:
			p.giveBack(b, i)
		}
	}
	if len(refunds) > 0 {
		p.after(time.Duration(p.settings.RefundAfter), func() { p.refund(b, refunds) })
	}
	if b.counts[ItemInit]+b.counts[ItemQueued]+b.counts[ItemProcessing] == 0 {
		p.after(p.share(toFinish), func() { p.finish(b) })
	}
}

// fated is what the settings decide about an item, before any dial does.
func (p *Provider) fated(itemExternalID string) Fate {
	if p.settings.Fate == nil {
		return FateByDial
	}
	return p.settings.Fate(itemExternalID)
}

// fate decides what becomes of an item at the bank.
func (p *Provider) fate(it *item) Fate {
	if fate := p.fated(it.id); fate != FateByDial {
		return fate
	}
	if !p.chance(p.faults.FailItems) {
		return FatePaid
	}
	switch p.settings.Refund {
	case RefundNever:
	case RefundAlways:
		if p.chance(p.faults.DepositFail) {
			return FateReturnFailed
		}
		return FateReturned
	case RefundByDial:
		// Shares of one whole, so one draw.
		if success, fail := p.faults.DepositSuccess, p.faults.DepositFail; success+fail > 0 {
			switch draw := Probability(p.rnd.IntN(int(Always))); {
			case draw < success:
				return FateReturned
			case draw < success+fail:
				return FateReturnFailed
			}
		}
	}
	return FateFailed
}

// refund is money of a FAILED item on its way back.
type refund struct {
	item int
	fate Fate
}

func (p *Provider) refund(b *batch, refunds []refund) {
	for _, r := range refunds {
		if r.fate == FateReturnFailed {
			p.set(b, r.item, ItemDepositFail)
			continue
		}
		p.set(b, r.item, ItemDepositSuccess)
		p.giveBack(b, r.item)
	}
	p.resume()
}

// giveBack credits an item, with its commission, if it was paid for.
func (p *Provider) giveBack(b *batch, i int) {
	if b.debited {
		p.credit(b.account, b.items[i].amount+b.items[i].commission)
	}
}

// finish gives a batch its last status.
func (p *Provider) finish(b *batch) {
	if b.status != BatchPublishedToQueue { // cancelled in part
		return
	}
	switch paid := b.counts[ItemSuccess]; {
	case paid == b.valid():
		p.setBatch(b, BatchCompleted)
	case paid == 0:
		p.setBatch(b, BatchFail)
	default:
		switch p.settings.MixedResult {
		case MixedResultCompleted:
			p.setBatch(b, BatchCompleted)
		case MixedResultFail:
			p.setBatch(b, BatchFail)
		case MixedResultStay:
		}
	}
}

// payAgain is what a second auth does at its worst: items that are paid are
// paid once more now, and those on their way once more when their time comes.
func (p *Provider) payAgain(b *batch) {
	b.auths++
	for i := range b.items {
		if b.items[i].status == ItemSuccess {
			p.transfer(b, i)
		}
	}
}
