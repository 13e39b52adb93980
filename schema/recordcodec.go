package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// EncodeRecord writes the value of a journal record. It returns an [ErrVersion]
// for a type that is not known and an [ErrRecord] for a record that lacks a
// field without which its type decides nothing.
func EncodeRecord(r *Record) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	type fields Record // json finds the names in its tags
	versioned := struct {
		V int `json:"v"`
		fields
	}{RecordVersion, fields(*r)}
	versioned.At = r.At.UTC()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&versioned); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// A need is a field, or a group of them, that a record must have.
type need struct {
	what string
	has  func(*Record) bool
}

var (
	needSession = need{"session", func(r *Record) bool { return r.Session != "" }}
	needBatch   = need{"batch and plan", func(r *Record) bool { return r.Batch != "" && r.Plan > 0 }}
	needPlan    = need{"plan", func(r *Record) bool { return r.Plan > 0 }}
	needAttempt = need{"attempt", func(r *Record) bool { return r.Attempt > 0 }}
	needRequest = need{"requestId", func(r *Record) bool { return r.RequestID != "" }}
	needReason  = need{"reason", func(r *Record) bool { return r.Reason != nil && r.Reason.Code != "" }}
	needBy      = need{"by", func(r *Record) bool { return r.By != "" }}
	needLogID   = need{"logId", func(r *Record) bool { return r.LogID != "" }}
	needEpoch   = need{"epoch", func(r *Record) bool { return r.Epoch != "" }}
	needName    = need{"externalId", func(r *Record) bool { return r.ExternalID != "" }}
	needItems   = need{"items", func(r *Record) bool { return len(r.Items) > 0 }}
	needWhich   = need{"which", func(r *Record) bool { return len(r.Which) > 0 }}
	needOpen    = need{"checkpoint", func(r *Record) bool { return r.Checkpoint != nil }}
	needHold    = need{"hold", func(r *Record) bool {
		return slices.Contains([]HoldKind{HoldPolicy, HoldMismatch, HoldRefused, HoldLimit, HoldForeign}, r.Hold)
	}}
	needCommand = need{"command", func(r *Record) bool { return r.Command > 0 }}
	needVerdict = need{"verdict", func(r *Record) bool {
		return r.Verdict == VerdictTook && r.Items == nil || r.Verdict == VerdictDead && r.Items == nil || r.Verdict == VerdictItems && len(r.Items) > 0
	}}
	needFloors = need{"floors", func(r *Record) bool { return len(r.Floors) > 0 }}
)

// needs is the closed set of types and what each must hold.
var needs = map[RecordType][]need{
	RecGenesis:     {needLogID},
	RecEpoch:       {needSession, needEpoch},
	RecCheckpoint:  {needSession, needOpen, needLogID, needEpoch},
	RecCreating:    {needSession, needBatch, needAttempt},
	RecCreated:     {needSession, needBatch, needAttempt, needName, needRequest},
	RecRefused:     {needSession, needBatch, needAttempt, needReason},
	RecAbandoned:   {needSession, needBatch, needAttempt},
	RecCompleting:  {needSession, needBatch, needAttempt, needRequest},
	RecCompleted:   {needSession, needBatch, needAttempt, needRequest},
	RecFencing:     {needSession, needBatch, needAttempt, needRequest},
	RecDead:        {needSession, needBatch, needAttempt, needRequest},
	RecSettled:     {needSession, needBatch, needAttempt, needRequest, needItems},
	RecUnknown:     {needSession, needBatch, needAttempt, needRequest, needReason},
	RecHeld:        {needSession, needBatch, needHold, needReason},
	RecResumed:     {needSession, needWhich},
	RecCancel:      {needSession, needBatch, needBy},
	RecDecided:     {needSession, needBatch, needAttempt, needRequest, needVerdict, needBy},
	RecPaused:      {needSession, needBy},
	RecClosed:      {needSession, needBatch},
	RecNoted:       {needSession, needReason, needCommand},
	RecQuarantined: {needSession, needPlan, needBy, needReason, needCommand},
	RecFloor:       {needFloors},
}

// RecordTypes lists every type, sorted by name.
func RecordTypes() []RecordType { return slices.Sorted(maps.Keys(needs)) }

// check finds what no record may be. Both ways go through it.
func (r *Record) check() error {
	list, known := needs[r.Type]
	if !known {
		return fmt.Errorf("%w (type %.40q)", ErrVersion, string(r.Type))
	}
	for _, n := range list {
		if !n.has(r) {
			return fmt.Errorf("%w: %s without a valid %s", ErrRecord, r.Type, n.what)
		}
	}
	floors := r.Floors
	if r.Checkpoint != nil {
		floors = append(slices.Clip(floors), r.Checkpoint.Floors...)
	}
	for _, f := range floors {
		if !f.valid() {
			return fmt.Errorf("%w: %s with a floor that has no topic, or a number below zero", ErrRecord, r.Type)
		}
	}
	return r.checkItems()
}

func (f *Floor) valid() bool {
	return f.Topic != "" && f.Partition >= 0 && f.Offset >= 0 && f.Answered >= 0 && f.Era >= 0
}

// checkItems looks at the items a record names. A report's change must be to
// one of the four statuses that a report can prove. A cancel of no items would
// be written as one of all.
func (r *Record) checkItems() error {
	if r.Only != nil && len(r.Only) == 0 {
		return fmt.Errorf("%w: %s of no items", ErrRecord, r.Type)
	}
	for _, it := range r.Items {
		if !slices.Contains([]PayoutStatus{Paid, Failed, Returned, ReturnFailed}, it.Status) {
			return fmt.Errorf("%w: %s with an item status that no report proves", ErrRecord, r.Type)
		}
	}
	negative := slices.ContainsFunc(r.Items, func(it ItemChange) bool { return it.Item < 0 }) ||
		slices.ContainsFunc(r.Invalid, func(it InvalidItem) bool { return it.Item < 0 }) ||
		slices.ContainsFunc(r.Only, func(i int) bool { return i < 0 })
	if negative {
		return fmt.Errorf("%w: %s with an item number below zero", ErrRecord, r.Type)
	}
	return nil
}
