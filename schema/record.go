package schema

import (
	"time"
)

// RecordVersion is the version that [EncodeRecord] writes.
const RecordVersion = 1

// A RecordType names what happened. The set is closed: a reader that meets
// another must stop, for a fold that skips is a second truth.
type RecordType string

// The records of payout.journal; worker's transition table says when each is
// written and what it decides.
const (
	RecGenesis    RecordType = "genesis"
	RecEpoch      RecordType = "epoch"
	RecCheckpoint RecordType = "checkpoint"
	RecCreating   RecordType = "creating"
	RecCreated    RecordType = "created"
	RecRefused    RecordType = "refused"
	RecAbandoned  RecordType = "abandoned"
	RecCompleting RecordType = "completing"
	RecCompleted  RecordType = "completed"
	RecFencing    RecordType = "fencing"
	RecDead       RecordType = "dead"
	RecSettled    RecordType = "settled"
	RecUnknown    RecordType = "unknown"
	RecHeld       RecordType = "held"
	RecResumed    RecordType = "resumed"
	RecCancel     RecordType = "cancel"
	RecDecided    RecordType = "decided"
	RecPaused     RecordType = "paused"
	RecClosed     RecordType = "closed"
	RecNoted      RecordType = "noted"
	// RecQuarantined: a plan that cannot be read owns nothing; a person said so.
	RecQuarantined RecordType = "quarantined"
	// RecFloor: up to here requests have been answered. Consumers write it; with
	// by and command it is a person's, who accepts a topic that was made anew.
	RecFloor RecordType = "floor"
)

// A Record is one record of payout.journal. Only the fields of its type are
// set. Items are named by their index in the plan.
type Record struct {
	Type    RecordType `json:"type"`
	Batch   string     `json:"batch,omitempty"`
	Plan    int64      `json:"plan,omitempty"`    // the batch's offset in payout.batches; 0 is the genesis, never a batch
	Session string     `json:"session,omitempty"` // who wrote it: one assignment of a shard to a worker
	At      time.Time  `json:"at"`

	Attempt    int           `json:"attempt,omitempty"`
	ExternalID string        `json:"externalId,omitempty"` // created
	RequestID  string        `json:"requestId,omitempty"`
	Invalid    []InvalidItem `json:"invalid,omitempty"` // created
	Items      []ItemChange  `json:"items,omitempty"`   // settled, decided with VerdictItems
	Reason     *Reason       `json:"reason,omitempty"`  // refused, abandoned, unknown, held, cancel, decided, paused; genesis that closes
	Hold       HoldKind      `json:"hold,omitempty"`    // held
	Which      []int64       `json:"which,omitempty"`   // resumed: journal offsets of the held or paused records it lifts
	Only       []int         `json:"only,omitempty"`    // cancel: these items; none: all
	By         string        `json:"by,omitempty"`      // who asked: a person or a system
	Command    int64         `json:"command,omitempty"` // the offset after the command's in payout.commands, so that a repeated one counts once
	Scope      string        `json:"scope,omitempty"`   // paused: a merchant; none: all
	Verdict    Verdict       `json:"verdict,omitempty"` // decided

	LogID      string      `json:"logId,omitempty"`      // genesis, checkpoint
	Epoch      string      `json:"epoch,omitempty"`      // epoch, checkpoint
	Previous   string      `json:"previous,omitempty"`   // epoch
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"` // checkpoint
	Floors     []Floor     `json:"floors,omitempty"`     // floor
}

// A Floor is an offset in a partition of the requests that a reset of the
// consumer group cannot take back: what lies below it pays nothing new by itself.
type Floor struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
	// Answered is the offset below which every request has its answer; only in a
	// checkpoint. It is Offset, unless a person has accepted a higher floor or the
	// group was set forward.
	Answered int64 `json:"answered,omitempty"`
	// Era counts how often a person has accepted this partition as it is. A
	// consumer names the era it has read: what it says of a topic that is gone
	// does not count.
	Era int64 `json:"era,omitempty"`
	// Skipped says that its consumer began above Answered, since the group was set
	// forward: the requests in between were read by nobody, so this floor answers
	// nothing; only in a consumer's record.
	Skipped bool `json:"skipped,omitempty"`
}

// ReasonRestored is the code of a genesis, or a pause, that closes a shard: Kafka
// was lost or restored, so what was paid is not in the logs. It is lifted by the
// command [CmdOpen] alone.
const ReasonRestored = "restored"

// Closes reports whether the record closes its shard.
func (r *Record) Closes() bool {
	return (r.Type == RecGenesis || r.Type == RecPaused) && r.Reason != nil && r.Reason.Code == ReasonRestored
}

// An InvalidItem is a line that init refused.
type InvalidItem struct {
	Item int    `json:"i"`
	Code string `json:"code,omitempty"`
	Text string `json:"text,omitempty"`
}

// An ItemChange is what a report showed of an item.
type ItemChange struct {
	Item       int          `json:"i"`
	Status     PayoutStatus `json:"s"` // paid, failed, returned or return_failed
	Reference  string       `json:"ref,omitempty"`
	Commission *int64       `json:"fee,omitempty"` // minor units of the batch's currency
	Code       string       `json:"code,omitempty"`
	Text       string       `json:"text,omitempty"`
}

// A HoldKind says what may lift a hold.
type HoldKind string

// The kinds of holds.
const (
	HoldPolicy   HoldKind = "policy"   // a person or a rule asked for it
	HoldMismatch HoldKind = "mismatch" // iyzico shows something else than we sent
	HoldRefused  HoldKind = "refused"  // init was refused by a code nobody listed
	HoldLimit    HoldKind = "limit"    // an amount above the merchant's limits, found before anything was created
	HoldForeign  HoldKind = "foreign"  // the batch was authorised or cancelled by somebody else: decided may end it
)

// A Verdict is a person's word on a batch that is unknown.
type Verdict string

// The verdicts.
const (
	VerdictTook Verdict = "took"
	VerdictDead Verdict = "dead"
	// VerdictItems is VerdictTook with a word on single items, in Record.Items:
	// those that are paid, and those that failed.
	VerdictItems Verdict = "items"
)

// A Checkpoint lets a reader begin late: it stands for every record of the
// shard below PlanOffset and JournalOffset. It lists what was open there by the
// places of its records, so that reading them again is folding them again: no
// state is written down twice. A reader goes on from these offsets, never from
// the checkpoint's own place, and takes the one with the highest JournalOffset.
type Checkpoint struct {
	PlanOffset    int64         `json:"planOffset"`
	JournalOffset int64         `json:"journalOffset"`
	Open          []OpenBatch   `json:"open,omitempty"`
	Waiting       []OffsetRange `json:"waiting,omitempty"`     // every plan in here that owns an item has no record yet
	Quarantined   []int64       `json:"quarantined,omitempty"` // plans that own nothing since nobody can read them
	Commands      int64         `json:"commands,omitempty"`    // first offset of payout.commands that was not dealt with
	Pauses        []int64       `json:"pauses,omitempty"`      // the offsets of the paused records in force, and of a genesis that closes
	Floors        []Floor       `json:"floors,omitempty"`
}

// An OpenBatch is a batch that owned items and was not closed at a checkpoint.
type OpenBatch struct {
	Plan    int64   `json:"plan"`              // its offset in payout.batches
	Records []int64 `json:"records,omitempty"` // the offsets of its records in payout.journal that changed something
}

// An OffsetRange is the offsets from From to To, both included.
type OffsetRange struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}
