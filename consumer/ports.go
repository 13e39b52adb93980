package consumer

import (
	"context"

	"github.com/toplu/toplu/schema"
)

// Known tells who owns payout ids. Safe for concurrent use.
type Known interface {
	// Known returns one [Claim] for each of ids, all of which are of one shard;
	// an id may stand there twice. The answer covers the shard's plan log to its
	// end as it stood at the call, or further: until everything is folded so
	// far, and while the claims are away or being refilled, Known waits, and
	// logs what it waits for. It fails only when ctx ends.
	Known(ctx context.Context, shard int, ids []string) ([]Claim, error)
	// Glance returns what the claims hold of ids at this moment, wherever the fold
	// is: an id that nobody owns may stand in a plan all the same. It never waits
	// for a worker, and fails where the claims cannot be read.
	Glance(ctx context.Context, shard int, ids []string) ([]Claim, error)
}

// A Claim says whether a payout id is used up, and by what.
type Claim struct {
	Owned   bool
	Content schema.Digest // of the request that owns the id; see [schema.Request.Content]
}

// Plans is payout.batches, a partition of it a shard. Safe for concurrent use.
type Plans interface {
	// Append writes a plan and returns nil once it is durable. After an error it
	// may be there, now, later, or twice; it is then appended again, for a copy
	// does no harm. An error that is a [schema.ErrRecord] is final.
	Append(ctx context.Context, shard int, plan *schema.Plan) error
	// Shards is the number of shards. It never changes.
	Shards() int
}

// Commands is payout.commands, a partition of it a shard. Safe for concurrent
// use.
type Commands interface {
	// Append writes a command and returns nil once it is durable. After an error
	// it may be there, now, later, or twice; it is then appended again. An error
	// that is a [schema.ErrRecord] is final.
	Append(ctx context.Context, shard int, command *schema.Command) error
}

// A Publisher writes public events and dead letters. It returns nil when all are
// durable; after an error any of them may have been written, and all are
// published again. Safe for concurrent use.
type Publisher interface {
	Publish(ctx context.Context, messages []schema.Message) error
}

// A Seal hides who is paid from those who read the logs. Safe for concurrent use.
type Seal interface {
	// Content is the digest of a request's content that its plan will carry.
	Content(r *schema.Request) schema.Digest
	// Same reports whether d, of a plan of any time, is the digest of r's content.
	Same(d schema.Digest, r *schema.Request) bool
	// SealPlan seals a plan and gives it its id. While it fails, for want of a key,
	// the plan must not be written.
	SealPlan(p *schema.Plan) error
	// SealLetter seals a dead letter, of a merchant if that is known. While it
	// fails the letter must not be written.
	SealLetter(d *schema.DeadLetter, merchant string) error
}

// inClear seals nothing.
type inClear struct{}

func (inClear) Content(r *schema.Request) schema.Digest      { return r.Content() }
func (inClear) Same(d schema.Digest, r *schema.Request) bool { return d.Covers(r.Content()) }
func (inClear) SealPlan(*schema.Plan) error                  { return nil }
func (inClear) SealLetter(*schema.DeadLetter, string) error  { return nil }

// Ports are what a [Planner] stands on.
type Ports struct {
	Known       Known
	Plans       Plans
	Commands    Commands  // for cancels
	DeadLetters Publisher // payout.requests.dlq
	Statuses    Publisher // payout.statuses, for refusals
	Seal        Seal      // nil: plans and dead letters are in clear
}

// A Reader reads one partition of requests, in order, committed records only.
// It is used by one goroutine.
type Reader interface {
	// Next returns what comes next. It waits a while if there is nothing yet,
	// and waits troubles out that may pass. An error is an alarm: it ends the
	// run, unless ctx has ended.
	Next(ctx context.Context) (Batch, error)
}

// A Batch is what a [Reader] has read at once. There may be no records in it.
type Batch struct {
	Records []Record
	Next    int64 // the offset to go on from; above the last record's
	End     int64 // the partition's end, as far as it is known
}

// A Record is one request as it stands in Kafka.
type Record struct {
	schema.Message
	Offset int64
}

// A Committer remembers where the next owner of a partition goes on.
type Committer interface {
	// Commit stores offsets by partition, each the first one that is not yet
	// answered. It is never called while a call is under way. After an error
	// the offsets, or later ones, are committed again.
	Commit(ctx context.Context, offsets map[int]int64) error
}

// An Assignment is what one generation of the group has given this member.
type Assignment struct {
	Topic      string // of requests, as in [schema.Source]
	Partitions []Partition
	Committer  Committer
	Floors     Floors
}

// Floors remember up to where requests were answered, where no reset of the
// group's offsets reaches it.
type Floors interface {
	// Raise says that every request below offsets, by partition, has its answer.
	// It returns nil once that is durable; only then the offsets are committed, so
	// no commit is ever above its floor. It is never called while a call is under
	// way.
	Raise(ctx context.Context, offsets map[int]int64) error
}

// A Partition is one partition of the requests' topic.
type Partition struct {
	ID   int
	From int64 // what Reader reads first
	// Floor is the furthest offset ever committed. A request below it that no batch
	// has is not new: the group was set back. It is put aside and not paid.
	Floor int64
	// Answered is the offset below which every request has had its answer: what is
	// no payout of ours is passed over there, and not refused once more. It is Floor
	// unless a person has set that, or the group was set forward.
	Answered int64
	Reader   Reader // belongs to the run
}
