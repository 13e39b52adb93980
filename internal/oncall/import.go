package oncall

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// An ImportCheck is what importing ids would come to.
type ImportCheck struct {
	Listed int      `json:"listed"`
	Known  int      `json:"knownBefore"` // imported by an earlier run
	New    int      `json:"new"`
	Taken  []string `json:"taken"` // a batch here owns them
	Open   []string `json:"open"`  // of these: not answered yet, so they may be paid once more

	chunks map[int][][]schema.Import // of the new ones, by shard
}

// CheckImport says which of ids are new, and which a batch owns.
func (d *Desk) CheckImport(ctx context.Context, ids []string) (*ImportCheck, error) {
	c := &ImportCheck{Listed: len(ids), Taken: []string{}, Open: []string{}, chunks: map[int][][]schema.Import{}}
	owners, err := d.owners(ctx, ids)
	if err != nil {
		return nil, err
	}
	views, _, err := d.Look(ctx)
	if err != nil {
		return nil, err
	}
	open := map[Place]bool{}
	for _, v := range views {
		for i := range v.Batches {
			if b := &v.Batches[i]; b.Payable.Items+b.Unanswered.Items > 0 {
				open[Place{v.Shard, b.Plan}] = true
			}
		}
	}
	imports := map[Place]bool{}
	for i, id := range ids {
		shard := schema.Shard(id, d.Shards)
		if owners[i].Offset == worker.None {
			c.add(shard, id)
			continue
		}
		at := Place{shard, owners[i].Offset}
		imported, asked := imports[at]
		if !asked {
			if imported, err = d.isImport(ctx, at); err != nil {
				return nil, err
			}
			imports[at] = imported
		}
		switch {
		case imported:
			c.Known++
		case open[at]:
			c.Open = append(c.Open, id)
			c.Taken = append(c.Taken, id)
		default:
			c.Taken = append(c.Taken, id)
		}
	}
	return c, nil
}

func (c *ImportCheck) add(shard int, id string) {
	c.New++
	all := c.chunks[shard]
	if n := len(all); n == 0 || len(all[n-1]) == schema.MaxImports {
		all = append(all, nil)
	}
	n := len(all) - 1
	all[n] = append(all[n], schema.Import{PayoutID: id})
	c.chunks[shard] = all
}

func (d *Desk) isImport(ctx context.Context, at Place) (bool, error) {
	e, err := d.Logs(at.Shard).Plans.ReadAt(ctx, at.Plan)
	if err != nil {
		return false, err
	}
	rec, err := schema.DecodePlan(e.Value)
	if err != nil {
		return false, fmt.Errorf("payout.batches offset %d: %w", at.Plan, err)
	}
	return rec.Imported != nil, nil
}

// ErrTaken says that batches were planned of ids while they were being imported, and
// own them: they are paid here.
var ErrTaken = errors.New("batches here own some of the ids, and pay them")

// Import has the new ids claimed, chunk by chunk, and waits until the workers have
// folded each. The same ids again go on where it was interrupted. It goes through
// all of them before it returns an [ErrTaken].
func (d *Desk) Import(ctx context.Context, c *ImportCheck, by, reason string, told func(n int)) error {
	var taken error
	for shard := range d.Shards {
		for _, chunk := range c.chunks[shard] {
			a, _, err := d.give(ctx, shard, &schema.Command{Kind: schema.CmdImport, Imports: chunk, By: by, Reason: reason})
			switch {
			case err != nil:
				return fmt.Errorf("shard %d: %w", shard, err)
			case a.Verdict == Written:
				return fmt.Errorf("shard %d: %s; the same command goes on from there", shard, a.Text)
			case a.Code == "imported_in_part":
				taken = errors.Join(taken, fmt.Errorf("%w: shard %d: %s", ErrTaken, shard, a.Text))
			case a.Code != "imported":
				return errors.Join(taken, fmt.Errorf("shard %d: %s", shard, a.Text))
			}
			told(len(chunk))
		}
	}
	return taken
}

// Open lets the shards pay again that were closed since Kafka was lost. It returns
// which were.
func (d *Desk) Open(ctx context.Context, by, reason string) ([]int, error) {
	opened := []int{}
	for shard := range d.Shards {
		a, r, err := d.give(ctx, shard, &schema.Command{Kind: schema.CmdOpen, By: by, Reason: reason})
		switch {
		case err != nil:
			return opened, fmt.Errorf("shard %d: %w", shard, err)
		case a.Verdict == Written:
			return opened, fmt.Errorf("shard %d: %s", shard, a.Text)
		case r != nil && r.Type == schema.RecResumed:
			opened = append(opened, shard)
		case a.Code != "not_closed":
			return opened, fmt.Errorf("shard %d: %s", shard, a.Text)
		}
	}
	return opened, nil
}

// An Acceptance is what accepting a partition of the requests would come to.
type Acceptance struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Start     int64  `json:"start"`
	End       int64  `json:"end"`
	Was       int64  `json:"floorWas"`
	Floor     int64  `json:"floor"`
	Below     int64  `json:"below"` // offsets below the new floor: paid only by a replay, if they are not known
	Above     int64  `json:"above"` // offsets from it on: taken
}

// PlanAccept says what a floor at the start or the end of each partition of a topic
// would come to; -1 for partition is all.
func (d *Desk) PlanAccept(ctx context.Context, topic string, partition int, atEnd bool) ([]Acceptance, error) {
	bounds, err := d.Kafka.Offsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	was, err := d.floors(ctx)
	if err != nil {
		return nil, err
	}
	all := []Acceptance{}
	for p, b := range bounds {
		if partition >= 0 && p != partition {
			continue
		}
		a := Acceptance{Topic: topic, Partition: p, Start: b.Start, End: b.End, Was: was[part{topic, p}].Offset, Floor: b.Start}
		if atEnd {
			a.Floor = b.End
		}
		a.Below, a.Above = a.Floor-b.Start, b.End-a.Floor
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Acceptance) int { return a.Partition - b.Partition })
	return all, nil
}

// Accept sets the floors. Each is in force when its worker has taken it.
func (d *Desk) Accept(ctx context.Context, all []Acceptance, by, reason string) error {
	for i := range all {
		a := &all[i]
		shard := worker.FloorShard(a.Partition, d.Shards)
		floor := &schema.Floor{Topic: a.Topic, Partition: a.Partition, Offset: a.Floor}
		answer, _, err := d.give(ctx, shard, &schema.Command{Kind: schema.CmdAccept, Floor: floor, By: by, Reason: reason})
		switch {
		case err != nil:
			return fmt.Errorf("partition %d: %w", a.Partition, err)
		case answer.Record != schema.RecFloor:
			return fmt.Errorf("partition %d: %s", a.Partition, answer.Text)
		}
	}
	return nil
}
