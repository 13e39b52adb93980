package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/toplu/toplu/schema"
)

// None is the offset before the first record of a log.
const None int64 = -1

// Claims remembers which plan owns which payout id. What it holds for a shard
// is a function of the shard's plan log up to the watermark, and nothing else;
// so it may be lost at any time and is filled again from the log. All methods
// are safe for concurrent use, by many processes, and idempotent: a call whose
// answer was lost is made again. When in doubt a method must fail.
type Claims interface {
	// State returns what stands for the shard. It returns [ErrClaimsLost] if
	// there is nothing.
	State(ctx context.Context, shard int) (ClaimsState, error)
	// Begin makes the shard's claims empty under a new epoch, with watermark
	// [None]. It changes nothing if that epoch stands already.
	Begin(ctx context.Context, shard int, logID, epoch string) error
	// Fold applies the record at f.Offset. If the watermark is f.Predecessor,
	// every item that nobody owns becomes this plan's and the watermark moves to
	// f.Offset, in one step; if the watermark is at or past f.Offset, nothing
	// changes. Either way the answer has one [Owner] for each item.
	// Otherwise the watermark is too low: [*LowError]. [ErrClaimsLost]: nothing
	// stands, or another epoch's. [ErrClaimsCorrupt]: a claim or a bucket
	// that must be there is not.
	Fold(ctx context.Context, f Fold) ([]Owner, error)
	// Lookup tells who owns each id, without claiming. It fails as Fold does,
	// and with [*LowError] unless the watermark is at least through.
	Lookup(ctx context.Context, shard int, epoch string, through int64, ids []string) ([]Owner, error)
	// Condemn gives up what stands under epoch, if that still stands: whoever
	// found it damaged makes it [ErrClaimsLost] for the shard's worker, which
	// fills it again.
	Condemn(ctx context.Context, shard int, epoch string) error
}

// ClaimsState is what stands in Redis for a shard.
type ClaimsState struct {
	LogID     string
	Epoch     string
	Watermark int64 // offset of the last record folded, or None
	Count     int64 // claims in all
}

// A Fold is one record of the plan log, to be applied to the claims.
type Fold struct {
	Shard       int
	Epoch       string
	Offset      int64
	Predecessor int64 // offset of the record before it in the partition, or None
	Items       []ClaimItem
}

// A ClaimItem is a payout id and the digest of its request's content. Ids in
// one Fold are distinct.
type ClaimItem struct {
	PayoutID string
	Content  schema.Digest
}

// An Owner is who holds a claim.
type Owner struct {
	Offset  int64 // the owning plan's offset, or None: nobody
	Content schema.Digest
}

// Errors of [Claims].
var (
	ErrClaimsLost    = errors.New("the claims are lost or are another installation's")
	ErrClaimsCorrupt = errors.New("the claims are damaged: a key was deleted or changed")
)

// A LowError says that the claims stand below where they were: an old dump, a
// stale replica. The log must be folded again from the watermark on.
type LowError struct{ Watermark, Want int64 }

func (e *LowError) Error() string {
	return fmt.Sprintf("the claims stand at offset %d, below %d", e.Watermark, e.Want)
}
