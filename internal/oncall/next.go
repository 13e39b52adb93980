package oncall

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/toplu/toplu/worker"
)

// An outlook is what stands in the way of batches beside their own records, as far
// as the logs and what the running processes tell of themselves show it.
type outlook struct {
	desk   *Desk
	pulses []MerchantPulse
}

// outlook asks once for what all batches have in common. Redis away is no reason to
// tell nothing.
func (d *Desk) outlook(ctx context.Context) *outlook {
	pulses, _ := d.Pulses(ctx)
	return &outlook{d, pulses}
}

// lately is how long what a process said of a merchant's balance is repeated.
const lately = 5 * time.Minute

// next says what is to come of a batch of a shard, or why nothing is.
func (o *outlook) next(v *worker.ShardView, b *worker.BatchView) string {
	if b.Closed || b.State == worker.StateAnswered || b.State == worker.StateImpossible {
		return b.Next
	}
	// What keeps everything of it back, and what only its completing.
	var all, completing []string
	if o.desk.Configured != nil && !o.desk.Configured(b.Merchant) {
		all = append(all, "merchant "+b.Merchant+" is not in the configuration")
	}
	if !b.Gone {
		switch {
		case v.PlanTrouble != "":
			all = append(all, "its shard waits for a person: "+v.PlanTrouble)
		case v.ClaimsTrouble != "":
			all = append(all, "its shard pays nothing new before the claims are filled again from the log ("+v.ClaimsTrouble+")")
		case v.LogID != "" && v.Claims.Watermark < b.Plan:
			all = append(all, fmt.Sprintf("it is not claimed yet, the claims stand at offset %d", v.Claims.Watermark))
		}
		for _, p := range v.Pauses {
			if p.Closed {
				completing = append(completing, "the installation is closed since Kafka was lost or restored: toplu claims import FILE --open")
			} else if p.Scope == "" || p.Scope == b.Merchant {
				completing = append(completing, paused(&p))
			}
		}
	}
	i := slices.IndexFunc(o.pulses, func(p MerchantPulse) bool { return p.Merchant == b.Merchant })
	if i >= 0 {
		all = append(all, o.pulses[i].trouble(b, o.desk.Now())...)
	}
	if b.State == worker.StateCreated || b.State == worker.StateHeld {
		all, completing = append(all, completing...), nil
	}
	text := b.Next
	switch {
	case len(all) == 0:
	case b.State == worker.StateHeld:
		text += "; beside that " + strings.Join(all, "; ")
	default:
		text = "nothing for now: " + strings.Join(all, "; ") + ". Then: " + text
	}
	if len(completing) > 0 {
		text += "; it is not completed: " + strings.Join(completing, "; ")
	}
	return text
}

// paused says who has paused what, and how it is lifted.
func paused(p *worker.PauseView) string {
	what, lift := "payouts are", "toplu resume"
	if p.Scope != "" {
		what, lift = "merchant "+p.Scope+" is", "toplu resume --merchant "+p.Scope
	}
	return fmt.Sprintf("%s paused since %s by %s (%s), until %s", what, p.Since.UTC().Format(time.RFC3339), p.By, text(&p.Reason), lift)
}

// trouble is what keeps a batch of the merchant back by what the processes tell.
func (p *MerchantPulse) trouble(b *worker.BatchView, now time.Time) []string {
	var all []string
	if p.Breaker == BreakerOpen && !b.Gone {
		why := "iyzico refuses or does not answer the merchant's calls, its circuit breaker is open"
		if f := p.LastFailure; f != nil {
			why += strings.TrimRight(fmt.Sprintf(" (%s %s at %s %s", f.Op, f.Outcome, f.At.UTC().Format(time.RFC3339), f.Code), " ") + ")"
		}
		all = append(all, why)
	}
	if at := p.BalanceTooLowAt; at != nil && b.State == worker.StateCreated && now.Sub(*at) < lately {
		all = append(all, "the merchant's balance at iyzico was too low for a batch at "+at.UTC().Format(time.RFC3339)+", it waits for money")
	}
	return all
}
