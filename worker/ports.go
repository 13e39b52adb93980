package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/toplu/toplu/iyzico"
	"github.com/toplu/toplu/schema"
)

// A Log is one partition of payout.batches or payout.journal. Records are kept
// for ever, in one order that every reader sees. All methods are safe for
// concurrent use.
type Log interface {
	// Bounds returns the offset of the first record and the offset that the
	// next one will get. Every record acknowledged before the call is below end.
	Bounds(ctx context.Context) (start, end int64, err error)
	// Read returns records from offset from on, in order. It waits a little
	// for the first; no record is no error. If from is outside the log the
	// error is an [*OutOfRangeError]: never a jump.
	Read(ctx context.Context, from int64) (Chunk, error)
	// ReadAt returns the record at exactly this offset.
	ReadAt(ctx context.Context, offset int64) (Entry, error)
	// Append writes messages in their order and returns their offsets when they
	// are durable. After an error they may be in the log, now, later, or twice.
	Append(ctx context.Context, messages ...schema.Message) ([]int64, error)
}

// An OutOfRangeError says that a log does not have the offset it was asked for.
type OutOfRangeError struct{ Asked, Start, End int64 }

func (e *OutOfRangeError) Error() string {
	return fmt.Sprintf("offset %d is outside the log, which has %d to %d", e.Asked, e.Start, e.End)
}

// An Entry is a record in a [Log].
type Entry struct {
	Offset int64
	Key    []byte
	Value  []byte
}

// A Chunk is what one Read returned.
type Chunk struct {
	Entries []Entry
	Next    int64 // where to read on; at least the last entry's offset + 1
	End     int64 // the log's end as the broker saw it with this read
}

// A Publisher writes public events. It returns when all are durable; after an
// error any of them may have been written, or still be. Order per key is kept.
// It keeps no message that is durable: their memory is used again.
type Publisher interface {
	Publish(ctx context.Context, messages []schema.Message) error
}

// Originals reads a request again as it came, for the dead-letter topic.
type Originals interface {
	Original(ctx context.Context, source schema.Source) (schema.Message, error)
}

// A Provider is iyzico's Mass Payout API for one merchant. What an error
// proves is said by [iyzico.OutcomeOf] and [iyzico.KindOf].
type Provider interface {
	Init(ctx context.Context, r iyzico.InitRequest) (iyzico.InitAnswer, error)
	Auth(ctx context.Context, requestID string) error
	Retrieve(ctx context.Context, r iyzico.RetrieveRequest) (iyzico.Report, error)
	Item(ctx context.Context, referenceCode string) (iyzico.Item, error)
	Cancel(ctx context.Context, requestID string) error
	Balance(ctx context.Context) (iyzico.Money, error)
}

// A Standing says whether iyzico can be called for a merchant.
type Standing int

// The standings.
const (
	Clear   Standing = iota // calls are let through
	Trying                  // one call at a time, after trouble
	Stopped                 // none but auth
)

// Reserves set money of merchants' balances aside for batches, among all workers
// that pay from them. It is advice: what is lost or forgotten there lets a batch
// meet an empty balance, no more. Safe for concurrent use.
type Reserves interface {
	// Others returns what is set aside for other batches of the same balance.
	Others(ctx context.Context, r Reserve) (int64, error)
	// Take sets r aside if available covers it beside what others have, but at
	// least least. What the batch had before is replaced, or given back.
	Take(ctx context.Context, r Reserve, available, least int64) (taken bool, others int64, err error)
	// Release gives back what the batch has. To have none is no error.
	Release(ctx context.Context, r Reserve) error
}

// A Reserve is what a batch needs of a balance.
type Reserve struct {
	Merchant string
	Currency schema.Currency
	Batch    string
	Minor    int64         // amounts and commissions
	For      time.Duration // after which it is forgotten
}
