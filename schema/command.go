package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// CommandVersion is the version that [EncodeCommand] writes.
const CommandVersion = 1

// A CommandKind says what a person on call, or an order system, asks for.
type CommandKind string

// The kinds of commands.
const (
	CmdHold    CommandKind = "hold"    // a batch is not completed until it is resumed
	CmdResume  CommandKind = "resume"  // the holds of a batch are lifted
	CmdCancel  CommandKind = "cancel"  // a batch, or one payout of it, is withdrawn
	CmdResolve CommandKind = "resolve" // a person's word on a batch that is unknown
	CmdPause   CommandKind = "pause"   // nothing of a merchant, or of all, is completed until it is unpaused
	CmdUnpause CommandKind = "unpause"
	// CmdQuarantine has the shard go past a plan that cannot be read.
	CmdQuarantine CommandKind = "quarantine"
	// CmdRebuild, CmdReemit, CmdRedrive and CmdReplay change nothing by themselves, the
	// journal is to tell who did it and why: the shard's claims are refilled, its
	// statuses told again, requests for its payouts sent again.
	CmdRebuild CommandKind = "rebuild"
	CmdReemit  CommandKind = "reemit"
	CmdRedrive CommandKind = "redrive"
	CmdReplay  CommandKind = "replay"
	// CmdAccept takes a partition of the requests as it is: it was made anew or moved.
	CmdAccept CommandKind = "accept"
	// CmdImport claims payout ids that were paid elsewhere.
	CmdImport CommandKind = "import"
	// CmdOpen lets a shard pay again that was closed since Kafka was lost.
	CmdOpen CommandKind = "open"
)

// A Command is a record of payout.commands. It stands in the partition of the
// shard it is for; a worker makes it a journal record, or notes why not.
type Command struct {
	Kind     CommandKind `json:"kind"`
	Batch    string      `json:"batch,omitempty"`    // hold, resume, cancel, resolve
	Plan     int64       `json:"plan,omitempty"`     // the batch's offset in payout.batches; quarantine: the plan's
	PayoutID string      `json:"payoutId,omitempty"` // cancel of one payout, instead of a batch
	// Topic is where an order system's cancel stood; none: a person gave the command.
	// It counts only from a topic of the payout's merchant, or of its request.
	Topic    string  `json:"topic,omitempty"`
	Merchant string  `json:"merchant,omitempty"` // pause, unpause; none: all
	Verdict  Verdict `json:"verdict,omitempty"`  // resolve
	// Attempt and RequestID are what the person was shown: a resolve is about this
	// attempt alone, whatever has followed it meanwhile. No RequestID: none was shown.
	Attempt   int        `json:"attempt,omitempty"`
	RequestID string     `json:"requestId,omitempty"`
	Evidence  string     `json:"evidence,omitempty"` // resolve: what the verdict rests on
	Items     []ItemWord `json:"items,omitempty"`    // resolve with VerdictItems
	Floor     *Floor     `json:"floor,omitempty"`    // accept
	Imports   []Import   `json:"imports,omitempty"`  // import: all of the shard, at most [MaxImports]
	By        string     `json:"by"`
	Reason    string     `json:"reason,omitempty"`
	At        time.Time  `json:"at"`
}

// An ItemWord is a person's word on one payout.
type ItemWord struct {
	PayoutID string       `json:"payoutId"`
	Status   PayoutStatus `json:"status"` // paid or failed
}

// EncodeCommand writes the value of a command's record. It returns an
// [ErrRecord] for a command that says too little.
func EncodeCommand(c *Command) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	type fields Command // json finds the names in its tags
	return json.Marshal(struct {
		V int `json:"v"`
		fields
	}{CommandVersion, fields(*c)})
}

// DecodeCommand reads the value of a command's record. It refuses a version or
// kind that it does not know ([ErrVersion]) and fields too many or too few
// ([ErrRecord]).
func DecodeCommand(value []byte) (Command, error) {
	type fields Command
	var c struct {
		V int `json:"v"`
		fields
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Command{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if c.V != CommandVersion {
		return Command{}, fmt.Errorf("%w (version %d)", ErrVersion, c.V)
	}
	out := Command(c.fields)
	return out, out.check()
}

func (c *Command) check() error {
	lacks := func(what string) error { return fmt.Errorf("%w: a command %s without %s", ErrRecord, c.Kind, what) }
	if c.By == "" {
		return lacks("by")
	}
	named := c.Batch != "" && c.Plan > 0
	switch c.Kind {
	case CmdHold, CmdResume:
		if !named {
			return lacks("batch and plan")
		}
	case CmdCancel:
		if named == (c.PayoutID != "") {
			return lacks("either batch and plan, or payoutId")
		}
	case CmdResolve:
		if !named || c.Attempt < 1 || c.Evidence == "" || !slices.Contains([]Verdict{VerdictTook, VerdictDead, VerdictItems}, c.Verdict) {
			return lacks("batch and plan, the attempt, a verdict and evidence")
		}
		if (c.Verdict == VerdictItems) != (len(c.Items) > 0) || slices.ContainsFunc(c.Items, func(w ItemWord) bool { return w.Status != Paid && w.Status != Failed }) {
			return lacks("items that are paid or failed, as its verdict has them")
		}
	case CmdQuarantine:
		if c.Plan < 1 || c.Reason == "" {
			return lacks("plan and reason")
		}
	case CmdAccept:
		if c.Floor == nil || !c.Floor.valid() || c.Reason == "" {
			return lacks("a valid floor and a reason")
		}
	case CmdImport:
		if c.Reason == "" {
			return lacks("reason")
		}
		return checkImports(c.Imports)
	case CmdOpen:
		if c.Reason == "" {
			return lacks("reason")
		}
	case CmdPause, CmdUnpause, CmdRebuild, CmdReemit, CmdRedrive, CmdReplay:
	default:
		return fmt.Errorf("%w (command %.40q)", ErrVersion, string(c.Kind))
	}
	return nil
}
