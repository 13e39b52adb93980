package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// newBackoff is the wait between attempts everywhere in this package: 20 ms
// growing to 2 s, with jitter, without end.
func newBackoff() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(20*time.Millisecond),
		backoff.WithMaxInterval(2*time.Second),
		backoff.WithMaxElapsedTime(0),
	)
}

// again does what changes nothing, or the same thing each time, until it
// succeeds or fails for good; for at most the client's timeout, so that a
// cluster that is down is reported. It returns the last error, not that time is
// up.
func (c *Client) again(ctx context.Context, op func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var last error
	err := backoff.Retry(func() error {
		err := op(limited)
		if err != nil && (last == nil || limited.Err() == nil) {
			last = err
		}
		if err != nil && !Temporary(err) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(newBackoff(), limited))
	switch {
	case err == nil:
		return nil
	case errors.Is(last, context.DeadlineExceeded) && !sameDeadline(ctx, limited):
		return silent(c.cfg.Timeout, last)
	case ctx.Err() != nil && !errors.Is(last, context.Cause(ctx)):
		return fmt.Errorf("%w (at last: %w)", context.Cause(ctx), last)
	}
	return last
}

// wait sleeps for d, or until ctx or the client ends.
func (c *Client) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
}
