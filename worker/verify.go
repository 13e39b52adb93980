package worker

import (
	"context"
	"fmt"
	"strings"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/schema"
)

// smallPage is the page size of iyzico's own sample, the only one known to be
// allowed.
const smallPage = 40

// A view is a batch at iyzico with all its pages.
type view struct {
	found   bool
	batch   iyzico.Batch
	valid   []iyzico.Item
	invalid []iyzico.Item
	whole   bool // every page was there, and their number was right
}

// view reads all VALID and INVALID pages of a batch.
func (s *Shard) view(ctx context.Context, p Provider, by iyzico.RetrieveRequest) (view, error) {
	v := view{whole: true}
	var err error
	if v.valid, err = s.pages(ctx, p, by, iyzico.ItemsValid, &v); err != nil || !v.found {
		return v, err
	}
	v.invalid, err = s.pages(ctx, p, by, iyzico.ItemsInvalid, &v)
	return v, err
}

// pages reads all pages of one list. A refusal is "not found": nothing else is
// documented, and the caller asks over the grace period.
func (s *Shard) pages(ctx context.Context, p Provider, by iyzico.RetrieveRequest, list iyzico.ItemType, v *view) ([]iyzico.Item, error) {
	by.ItemType, by.Size = list, int(s.pageSize.Load())
	var all []iyzico.Item
	for by.Page = 0; ; by.Page++ {
		rep, err := p.Retrieve(ctx, by)
		if refused(err) && iyzico.KindOf(err) == iyzico.KindBatch && by.Page == 0 && by.Size > smallPage {
			// The largest page is not documented: a refusal may mean the size.
			by.Size = smallPage
			if rep, err = p.Retrieve(ctx, by); err == nil {
				s.log.Warn().Int("size", by.Size).Msg("iyzico refuses larger report pages, asking for small ones from now on")
				s.pageSize.Store(smallPage)
			}
		}
		switch {
		case refused(err) && iyzico.KindOf(err) != iyzico.KindTraffic:
			v.found = false
			return nil, nil
		case err != nil:
			return nil, err
		}
		v.found, v.batch = rep.Found, rep.Batch
		if all == nil {
			all = rep.Items
		} else {
			all = append(all, rep.Items...)
		}
		if rep.Size > 0 && rep.Size < by.Size {
			by.Size = rep.Size // iyzico's own limit
		}
		if len(rep.Items) == 0 || (rep.Total >= 0 && len(all) >= rep.Total) || (rep.Total < 0 && len(rep.Items) < by.Size) {
			v.whole = v.whole && (rep.Total < 0 || len(all) == rep.Total)
			return all, nil
		}
	}
}

// lists reports whether VALID and INVALID together are the attempt's list.
func (v *view) lists(b *batch) bool {
	seen := make(map[int]bool, len(v.valid)+len(v.invalid))
	for _, list := range [][]iyzico.Item{v.valid, v.invalid} {
		for _, it := range list {
			i := b.index(it.ExternalID)
			if i < 0 || !b.items[i].carried || seen[i] {
				return false
			}
			seen[i] = true
		}
	}
	return v.whole && len(seen) == b.count(func(i int) bool { return b.items[i].carried })
}

// verify reads back what iyzico has before anything is authorised. A difference
// that lasts over the grace period holds the batch.
func (s *Shard) verify(b *batch) {
	p, ok := s.ports.Merchant(b.merchant)
	if !ok {
		return
	}
	asked := s.asking(b, "verify "+b.winner)
	by := iyzico.RetrieveRequest{RequestID: b.winner}
	s.ask(b, "verify", func(ctx context.Context) func() {
		v, err := s.view(ctx, p, by)
		return func() {
			if err != nil {
				s.again(b, s.cfg.Grace)
				return
			}
			switch status := see(v.batch.Status); {
			case v.found && (status == sawTaken || status == sawCanceled || status == sawUnfunded):
				// Auth now would be a second auth, or one on a dead batch.
				s.hold(b, schema.HoldForeign, "touched_elsewhere", fmt.Sprintf("iyzico shows %s before it was completed", v.batch.Status))
				return
			}
			difference := s.compare(b, &v)
			switch {
			case difference == "":
				b.drive.verified = true
				b.drive.need = v.need(b)
			case asked >= s.cfg.Grace:
				s.hold(b, schema.HoldMismatch, "read_back_differs", difference)
			default:
				s.again(b, s.cfg.Grace/4)
			}
		}
	})
}

// compare says how what iyzico has differs from what the attempt should hold,
// without a word about a person.
func (s *Shard) compare(b *batch, v *view) string {
	switch {
	case !v.found:
		return "iyzico does not find the batch"
	case see(v.batch.Status) != sawInit:
		return "the batch's status is " + string(v.batch.Status)
	case !v.whole:
		return "the pages do not add up"
	case len(v.valid) != b.count(b.valid):
		return fmt.Sprintf("%d valid items, sent were %d", len(v.valid), b.count(b.valid))
	}
	if v.batch.Currency != "" && string(v.batch.Currency) != string(b.plan.Currency) {
		return "the batch's currency is " + string(v.batch.Currency)
	}
	seen := make([]bool, len(b.items))
	for k := range v.valid {
		it := &v.valid[k]
		i := b.index(it.ExternalID)
		if i < 0 || !b.valid(i) || seen[i] {
			return "an item that is not in the attempt, or twice"
		}
		seen[i] = true
		if d := s.compareItem(b, i, it); d != "" {
			return b.plan.Items[i].PayoutID + ": " + d
		}
	}
	for _, it := range v.invalid {
		i := b.index(it.ExternalID)
		if i < 0 || !b.items[i].carried || !b.items[i].invalid {
			return "an item is invalid that init took"
		}
	}
	return ""
}

func (s *Shard) compareItem(b *batch, i int, it *iyzico.Item) string {
	want := b.plan.Request(i)
	switch {
	case it.Status != iyzico.ItemInit:
		return "its status is " + string(it.Status)
	case s.cfg.SkipAmounts:
		return ""
	case int64(it.Amount) != want.Amount.Minor:
		return fmt.Sprintf("its amount is %s, sent was %s", it.Amount, want.Amount)
	case it.Currency != "" && string(it.Currency) != string(want.Amount.Currency):
		return "its currency is " + string(it.Currency)
	case it.RecipientType != "" && string(it.RecipientType) != string(want.Recipient.Type):
		return "its recipient type is " + string(it.RecipientType)
	}
	got := strings.ReplaceAll(it.Recipient.Reveal(), " ", "")
	if got != "" && !strings.ContainsRune(got, '*') && !strings.EqualFold(got, want.Recipient.Value.Reveal()) {
		return "its recipient is another"
	}
	return ""
}

// need is what iyzico will take from the balance: amounts and commissions.
func (v *view) need(b *batch) schema.Amount {
	sum := schema.Amount{Currency: b.plan.Currency}
	for _, it := range v.valid {
		sum.Minor += int64(it.Amount) + int64(it.Commission)
	}
	return sum
}
