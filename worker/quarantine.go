package worker

import (
	"context"
	"fmt"
	"time"
)

// quarantined waits at a plan that cannot be read until a person says that it
// owns nothing; until then the shard pays nothing new. A fold that skipped it by
// itself would be a second truth: another worker may be able to read it. So all
// workers of the shard must be of one version when a plan is put in quarantine.
// The requests in it are not lost: nobody owns their ids, and a replay plans them
// again.
func (s *Shard) quarantined(ctx context.Context, offset int64, why error) error {
	text := fmt.Sprintf("payout.batches offset %d cannot be read: %v; the shard pays nothing new. If a newer toplu wrote it, run that; otherwise: toplu quarantine --shard %d --plan %d --reason …", offset, why, s.number, offset)
	for told := false; ; {
		var let bool
		err := s.hand(ctx, func() {
			let = s.quarantine[offset]
			s.stuckAt, s.stuck = offset, text
			s.claimsOK = false
			if let {
				s.stuckAt, s.stuck = None, ""
			}
			trouble := s.stuck
			s.trouble.Store(&trouble)
		})
		if err != nil || let {
			return err
		}
		if !told {
			told = true
			s.log.Error().Msg(text)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// Trouble is why the shard pays nothing new, "" if nothing is wrong. It is safe
// for concurrent use.
func (s *Shard) Trouble() string {
	if t := s.trouble.Load(); t != nil {
		return *t
	}
	return ""
}
