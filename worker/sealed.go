package worker

import (
	"errors"

	"github.com/toplu/toplu/schema"
)

// A Seal opens what plans hide from those who read the log, and hides it in dead
// letters. Safe for concurrent use.
type Seal interface {
	// Same reports whether d, of a plan of any time, is the digest of r's content.
	Same(d schema.Digest, r *schema.Request) bool
	// OpenPlan opens a sealed plan, and does nothing to others. While it fails, for
	// want of a key, the plan stays closed.
	OpenPlan(p *schema.Plan) error
	// SealLetter seals a dead letter of a merchant. While it fails the letter must
	// not be written.
	SealLetter(d *schema.DeadLetter, merchant string) error
}

var errNoSeal = errors.New("the plan is sealed, and there are no keys")

// noSeal is the seal of an installation without keys.
type noSeal struct{}

func (noSeal) Same(d schema.Digest, r *schema.Request) bool { return d.Covers(r.Content()) }
func (noSeal) SealLetter(*schema.DeadLetter, string) error  { return nil }
func (noSeal) OpenPlan(p *schema.Plan) error {
	if p.Closed() {
		return errNoSeal
	}
	return nil
}

// tryOpen opens a plan that was read, if its key is there. One that stays closed
// is folded and told of all the same, without the metadata that stands in
// statuses; only what must know who is paid waits, see [Shard.unseal].
func (s *Shard) tryOpen(p *schema.Plan) {
	if p != nil {
		_ = s.ports.Seal.OpenPlan(p) // why not is told where somebody waits for it
	}
}

// unseal says why a batch that is not completed yet cannot go on: who is paid is
// not known. "" if it can. From completing on nobody needs to know.
func (s *Shard) unseal(b *batch) string {
	if b.plan == nil || !b.plan.Closed() || b.phase >= completing {
		return ""
	}
	if err := s.ports.Seal.OpenPlan(b.plan); err != nil {
		why := "who is paid cannot be read: " + err.Error()
		if b.drive.note != why {
			s.log.Error().Str("batch", b.plan.ID).Str("reason", why).Msg("a batch waits for the key that it is sealed with; cancel it if the key is lost for good")
		}
		return why
	}
	s.log.Info().Str("batch", b.plan.ID).Msg("the plan's key is there now: the batch goes on")
	return ""
}

// duplicate reports whether item i of a plan, which another plan owns with
// content d, is the same payout once more.
func (s *Shard) duplicate(p *schema.Plan, i int, d schema.Digest) bool {
	if d.Covers(p.Content(i)) {
		return true
	}
	r := p.Request(i)
	return !p.Closed() && s.ports.Seal.Same(d, &r)
}
