package oncall

import (
	"context"
	"fmt"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
)

// A pace lets events through a few at once, so many in a second. It is not safe for
// concurrent use.
type pace struct {
	atOnce int
	tick   *time.Ticker // nil: nothing was let through yet
	every  time.Duration
}

// newPace returns a pace of at most rate events in a second; rate is above 0.
func newPace(rate int) *pace {
	const every = 100 * time.Millisecond
	atOnce := max(1, int(int64(rate)*int64(every)/int64(time.Second)))
	fair := (time.Duration(atOnce)*time.Second + time.Duration(rate-1)) / time.Duration(rate) // rounded up
	return &pace{atOnce: atOnce, every: max(every, fair)}
}

// wait returns when the next few may go, the first at once.
func (p *pace) wait(ctx context.Context) error {
	if p.tick == nil {
		p.tick = time.NewTicker(p.every)
		return ctx.Err()
	}
	select {
	case <-p.tick.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pace) stop() {
	if p.tick != nil {
		p.tick.Stop()
	}
}

// send publishes events, in their order within a topic, at a pace. told hears how
// many are sent, after each few. It returns how many are sent for certain.
func send(ctx context.Context, publish func(context.Context, []kafkaio.Addressed) error, out []kafkaio.Addressed, at *pace, told func(n int)) (int, error) {
	for sent := 0; sent < len(out); {
		if err := at.wait(ctx); err != nil {
			return sent, err
		}
		n := min(at.atOnce, len(out)-sent)
		if err := publish(ctx, out[sent:sent+n]); err != nil {
			return sent, fmt.Errorf("%w\n%d of %d were sent for certain; what was sent twice does no harm", err, sent, len(out))
		}
		sent += n
		told(n)
	}
	return len(out), nil
}
