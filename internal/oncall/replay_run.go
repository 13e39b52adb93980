package oncall

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
)

// The headers of a request that a replay asked for again.
const (
	HeaderReplayedFrom = "toplu-replayed-from" // TOPIC/PARTITION/OFFSET of the original
	HeaderReplayedBy   = "toplu-replayed-by"
	HeaderReplayedWhy  = "toplu-replayed-why"
	HeaderReplayPlan   = "toplu-replay-plan" // the plan's digest
)

// ErrPlanDiffers says that a replay plan was changed, or that what it says is no
// longer so.
var ErrPlanDiffers = errors.New("the plan no longer matches")

// A Replay is a plan that was checked against the present, ready to run.
type Replay struct {
	Listed   int `json:"listed"`
	Taken    int `json:"taken"`      // a batch has them by now: an earlier run, or another way
	OnTheWay int `json:"onTheirWay"` // asked for again and not answered yet
	ToSend   int `json:"toSend"`

	by, why string
	ids     []string // of out
	out     []kafkaio.Addressed
}

// CheckReplay holds a plan against the present: its digest, the logs, every
// request that it lists, and who owns them. What is taken with the same content
// is left out, so that a run that was interrupted goes on; anything else that
// differs is an [ErrPlanDiffers], and nothing is paid.
func (d *Desk) CheckReplay(ctx context.Context, p *ReplayPlan, by, why string, rules *schema.Rules) (*Replay, error) {
	if err := d.sameInstallation(ctx, p); err != nil {
		return nil, err
	}
	_, pending, err := d.onTheirWay(ctx, rules)
	if err != nil {
		return nil, err
	}
	found, err := d.originals(ctx, p, rules)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(p.New))
	for i := range p.New {
		ids[i] = p.New[i].PayoutID
	}
	owners, err := d.owners(ctx, ids)
	if err != nil {
		return nil, err
	}
	r := &Replay{Listed: len(p.New), by: by, why: why}
	for i := range p.New {
		it := &p.New[i]
		content := func(d schema.Digest) bool { return hex.EncodeToString(d[:]) == it.Content }
		asked, again := pending[it.PayoutID]
		request := found[it].request
		switch {
		case owners[i].Offset != worker.None && d.Seal.Same(owners[i].Content, &request):
			r.Taken++
		case owners[i].Offset != worker.None, again && !content(asked.content):
			return nil, fmt.Errorf("%w: %s belongs to a payout with other content by now", ErrPlanDiffers, it.PayoutID)
		case again:
			r.OnTheWay++
		default:
			r.ToSend++
			r.ids = append(r.ids, it.PayoutID)
			r.out = append(r.out, kafkaio.Addressed{Topic: found[it].topic, Message: replayed(found[it].message, p, it, by, why)})
		}
	}
	return r, nil
}

// sameInstallation checks that the plan is whole and of these logs.
func (d *Desk) sameInstallation(ctx context.Context, p *ReplayPlan) error {
	digest, err := p.digest()
	switch {
	case err != nil:
		return err
	case p.Version != replayVersion:
		return fmt.Errorf("%w: its version is %d, this toplu knows %d", ErrPlanDiffers, p.Version, replayVersion)
	case digest != p.Digest:
		return fmt.Errorf("%w: the file was changed, its digest is wrong", ErrPlanDiffers)
	case p.Topic != d.Topics.DLQ && d.unread(p.Topic) != "":
		return fmt.Errorf("%w: it is of the topic %s", ErrPlanDiffers, p.Topic)
	}
	views, troubles, err := d.Look(ctx)
	if err != nil {
		return err
	}
	if len(troubles) > 0 {
		return fmt.Errorf("shard %d cannot be read: %s", troubles[0].Shard, troubles[0].Text)
	}
	var logs []string
	for _, v := range views {
		logs = append(logs, v.LogID)
	}
	if !slices.Equal(logs, p.LogIDs) {
		return fmt.Errorf("%w: it was made from other logs", ErrPlanDiffers)
	}
	return nil
}

// original is a request that a plan lists, as it came and as it was read.
type original struct {
	topic   string // where it was asked for, and is again
	message schema.Message
	request schema.Request
}

// originals reads every request that the plan lists, and checks that it is the
// one that was planned.
func (d *Desk) originals(ctx context.Context, p *ReplayPlan, rules *schema.Rules) (map[*ReplayItem]original, error) {
	found := map[*ReplayItem]original{}
	for partition, items := range p.places() {
		first, last := bounds(items)
		err := d.readTopic(ctx, p.Topic, partition, first, last+1, func(rec kafkaio.Record) (bool, error) {
			it := items[rec.Offset]
			if it == nil {
				return true, nil
			}
			m, from, err := d.request(p.Topic, &rec)
			if err != nil {
				return false, err
			}
			e, err := schema.DecodeRequest(m, rules)
			content := d.Seal.Content(&e.Request)
			if err != nil || from == "" || e.Request.PayoutID != it.PayoutID || e.Request.Amount.Value() != it.Amount || hex.EncodeToString(content[:]) != it.Content {
				return false, fmt.Errorf("%w: at %s/%d offset %d there is no longer the request for %s that was planned", ErrPlanDiffers, p.Topic, partition, rec.Offset, it.PayoutID)
			}
			if bad := rules.Misplaced(from, &e.Request); bad != nil || d.unread(from) != "" {
				return false, fmt.Errorf("%w: by the configuration of now no request for merchant %s is taken from the topic %s, as %s needs", ErrPlanDiffers, e.Request.Merchant, from, it.PayoutID)
			}
			found[it] = original{from, m, e.Request}
			return true, nil
		})
		if errors.Is(err, kafkaio.ErrOutOfRange) {
			return nil, fmt.Errorf("%w: requests that it lists are no longer there: %w", ErrPlanDiffers, err)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(found) != len(p.New) {
		return nil, fmt.Errorf("%w: of %d requests only %d are still in %s", ErrPlanDiffers, len(p.New), len(found), p.Topic)
	}
	return found, nil
}

// replayed is the original with marks; its event id stays.
func replayed(m schema.Message, p *ReplayPlan, it *ReplayItem, by, why string) kafkaio.Message {
	out := kafkaio.Message{Key: m.Key, Value: m.Value}
	ours := []string{HeaderReplayedFrom, HeaderReplayedBy, HeaderReplayedWhy, HeaderReplayPlan}
	for _, h := range m.Headers {
		if !slices.Contains(ours, h.Key) {
			out.Headers = append(out.Headers, h)
		}
	}
	add := func(key, value string) {
		out.Headers = append(out.Headers, kafkaio.Header{Key: key, Value: []byte(value)})
	}
	add(HeaderReplayedFrom, fmt.Sprintf("%s/%d/%d", p.Topic, it.Partition, it.Offset))
	add(HeaderReplayedBy, by)
	add(HeaderReplayPlan, p.Digest)
	if why != "" {
		add(HeaderReplayedWhy, why)
	}
	return out
}

// RunReplay asks again for what a checked plan lists, at most rate in a second, and
// notes before that who does it and why. It returns how many are sent for certain;
// the same plan again goes on from there.
func (d *Desk) RunReplay(ctx context.Context, r *Replay, rate int, told func(n int)) (int, error) {
	if err := d.noteAgain(ctx, schema.CmdReplay, r.by, r.why, r.ids); err != nil {
		return 0, err
	}
	return send(ctx, d.Kafka.PublishAll, r.out, newPace(rate), told)
}
