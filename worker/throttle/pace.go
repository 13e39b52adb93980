package throttle

import (
	"context"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
)

const (
	askFor   = time.Second      // how long the shared rate may take to answer
	aloneFor = 10 * time.Second // how long it is not asked after it did not
)

// Pace returns a function for [Config.Pace] that keeps all workers together to a
// number of calls a minute. shared takes the next of them and tells how long to
// wait for it; while it fails, this process keeps to its part alone, and says so.
// parts is the most processes there can be.
func Pace(merchant string, perMinute, parts int, shared func(context.Context) (time.Duration, error), log zerolog.Logger) func(context.Context) error {
	p := &pacer{
		shared: shared, alone: rate.NewLimiter(rate.Every(time.Minute*time.Duration(max(parts, 1))/time.Duration(perMinute)), 1),
		turn: make(chan time.Time, 1), log: log.With().Str("merchant", merchant).Logger(),
	}
	p.turn <- time.Time{}
	return p.wait
}

type pacer struct {
	shared func(context.Context) (time.Duration, error)
	alone  *rate.Limiter
	turn   chan time.Time // holds the time until which shared is not asked
	log    zerolog.Logger
}

func (p *pacer) wait(ctx context.Context) error {
	until := <-p.turn
	p.turn <- until
	now := time.Now() //nolint:forbidigo // nothing that is written depends on it
	if now.Before(until) {
		return p.alone.Wait(ctx)
	}
	asking, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	wait, err := p.shared(asking)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		<-p.turn
		p.turn <- now.Add(aloneFor)
		p.log.Warn().Err(err).Msg("the rate shared by all workers cannot be asked: this one keeps to its part of it")
		return p.alone.Wait(ctx)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
