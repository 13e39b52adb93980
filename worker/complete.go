package worker

import (
	"context"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/schema"
)

// auth releases the money of the attempt: the one call that moves any.
//
// Commit point: this session's completing is the one that counts, it has been
// read back, no fencing was read before this line, and this requestId was never
// passed here. A crash right after this line leaves a completing that nobody
// answers for; the next session looks, and if iyzico shows INIT for the grace
// period it fences. There is no retry: not here, not in the client, not in the
// transport.
func (s *Shard) auth(b *batch) {
	p, ok := s.ports.Merchant(b.merchant)
	if !ok {
		return
	}
	d := &b.drive
	if b.phase != completing || b.completer != s.session || b.fenced || d.authorised[b.winner] {
		panic(&ImpossibleError{b.plan.ID, "auth was about to be called where it must not be"})
	}
	if d.authorised == nil {
		d.authorised = map[string]bool{}
	}
	d.authorised[b.winner] = true
	requestID, attempt := b.winner, b.attempt
	s.call(b, "complete", func(ctx context.Context) func() {
		err := p.Auth(ctx, requestID)
		return func() {
			if err == nil {
				s.writeAt(b, attempt, schema.Record{Type: schema.RecCompleted, RequestID: requestID})
				return
			}
			// No answer to auth is ever a refusal: whatever it says, the batch's
			// status decides.
			s.log.Warn().Err(err).Str("batch", b.plan.ID).Str("requestId", requestID).Msg("auth did not answer success, asking iyzico what became of it")
		}
	})
}

// fence cancels an attempt whose auth may still be on its way, and looks. The
// fencing record has been read back, so no session calls auth any more; cancel's
// own answer proves nothing.
func (s *Shard) fence(b *batch) {
	p, ok := s.ports.Merchant(b.merchant)
	if !ok {
		return
	}
	requestID := b.winner
	s.call(b, "fence", func(ctx context.Context) func() {
		err := p.Cancel(ctx, requestID)
		v, lookErr := s.sight(ctx, p, requestID, true)
		return func() {
			s.log.Info().AnErr("cancel", err).Str("batch", b.plan.ID).Str("requestId", requestID).Str("status", string(v.batch.Status)).Msg("fencing an attempt")
			s.judge(b, requestID, v, lookErr)
		}
	})
}

// sight reads the valid items of a batch, or one item of them to see if it moved.
func (s *Shard) sight(ctx context.Context, p Provider, requestID string, whole bool) (view, error) {
	by := iyzico.RetrieveRequest{RequestID: requestID, ItemType: iyzico.ItemsValid, Size: 1}
	v := view{whole: true}
	if !whole {
		rep, err := p.Retrieve(ctx, by)
		if refused(err) && iyzico.KindOf(err) != iyzico.KindTraffic {
			return v, nil
		}
		return view{found: rep.Found, batch: rep.Batch}, err
	}
	var err error
	v.valid, err = s.pages(ctx, p, by, iyzico.ItemsValid, &v)
	return v, err
}
