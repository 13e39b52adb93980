package oncall

import (
	"context"
	"errors"
	"fmt"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// claimsAudit is what Redis held for the shard when its audit began.
type claimsAudit struct {
	state worker.ClaimsState
	off   bool  // there is nothing to compare with any more
	count int64 // claims up to the watermark, by the log
}

// beginClaims notes where the claims of a shard stand: what is folded later is
// not compared.
func (a *auditor) beginClaims(ctx context.Context, shard int) error {
	a.claims = claimsAudit{}
	_, end, err := a.desk.Logs(shard).Plans.Bounds(ctx)
	if err != nil {
		return err
	}
	a.claims.state, err = a.desk.Claims.State(ctx, shard)
	switch {
	case errors.Is(err, worker.ErrClaimsLost) && end == 0:
		a.claims.off = true // nothing was ever planned
	case errors.Is(err, worker.ErrClaimsLost), errors.Is(err, worker.ErrClaimsCorrupt):
		a.claimsDiffer("", "", err.Error())
		a.claims.off = true
	case err != nil:
		return err
	}
	return nil
}

func (a *auditor) claimsDiffer(batch, payout, text string) {
	a.differ(Difference{Where: "claims", Shard: a.shard.Shard, BatchID: batch, PayoutID: payout, Text: text})
}

// compareClaims holds the claims on what a record asks for against who owns that
// by the log.
func (a *auditor) compareClaims(ctx context.Context, offset int64, rec *schema.PlanRecord, owners []worker.Owner, claims int64) error {
	c := &a.claims
	if c.off {
		return nil
	}
	if offset > c.state.Watermark {
		a.shard.NotFolded++
		return nil
	}
	c.count = claims
	batch := ""
	if rec.Plan != nil {
		batch = rec.Plan.ID
	}
	all := payoutIDs(rec)
	for from := 0; from < len(all); from += lookUp {
		ids := all[from:min(from+lookUp, len(all))]
		found, err := a.desk.Claims.Lookup(ctx, a.shard.Shard, c.state.Epoch, offset, ids)
		var low *worker.LowError
		switch {
		case errors.Is(err, worker.ErrClaimsLost), errors.Is(err, worker.ErrClaimsCorrupt), errors.As(err, &low):
			a.claimsDiffer(batch, "", err.Error()+"; the shard's other claims were not compared")
			c.off = true
			return nil
		case err != nil:
			return err
		}
		for i, o := range found {
			switch want := owners[from+i]; {
			case o == want:
			case o.Offset == worker.None:
				a.claimsDiffer(batch, ids[i], fmt.Sprintf("nobody owns it in Redis; by the log the plan at offset %d does", want.Offset))
			case o.Offset != want.Offset:
				a.claimsDiffer(batch, ids[i], fmt.Sprintf("the plan at offset %d owns it in Redis; by the log the one at %d does", o.Offset, want.Offset))
			default:
				a.claimsDiffer(batch, ids[i], "the claim is of another merchant, recipient or amount than the plan's")
			}
		}
	}
	return nil
}

// endClaims compares what can be said of the shard as a whole.
func (a *auditor) endClaims(told *worker.Retold) {
	c := &a.claims
	switch {
	case c.off:
	case c.state.LogID != told.LogID:
		a.claimsDiffer("", "", "the claims are of log "+c.state.LogID+", the plans of "+told.LogID)
	case c.state.Epoch != told.Epoch:
		a.claimsDiffer("", "", "the claims are of epoch "+c.state.Epoch+", the journal's is "+told.Epoch)
	case c.state.Watermark >= told.PlanEnd:
		a.claimsDiffer("", "", fmt.Sprintf("the claims stand at offset %d, and payout.batches ends at %d", c.state.Watermark, told.PlanEnd))
	case c.state.Count != c.count:
		a.claimsDiffer("", "", fmt.Sprintf("there are %d claims in Redis, and %d by the log up to the same plan", c.state.Count, c.count))
	}
}

// isOfTheLog reports whether an error says that the logs are not what they must
// be, rather than that they could not be read.
func isOfTheLog(err error) bool {
	_, impossible := errors.AsType[*worker.ImpossibleError](err)
	return impossible || errors.Is(err, worker.ErrLogID) || errors.Is(err, schema.ErrRecord) || errors.Is(err, schema.ErrVersion)
}
