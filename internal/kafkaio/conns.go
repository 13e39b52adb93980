package kafkaio

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// connTracker opens connections and remembers them, so that they can all be
// ended at once. The library's own Close waits for requests in flight, and
// leaves one whose caller has gone to its deadline.
type connTracker struct {
	dialer net.Dialer

	mu     sync.Mutex
	closed bool
	open   map[*trackedConn]struct{} // guarded by mu
}

func newConnTracker(timeout time.Duration) *connTracker {
	return &connTracker{
		dialer: net.Dialer{Timeout: timeout},
		open:   make(map[*trackedConn]struct{}),
	}
}

// dial connects, or returns a *dialError: the proof that nothing was sent.
func (t *connTracker) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := t.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, &dialError{err: err}
	}
	tracked := &trackedConn{Conn: conn, tracker: t}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		_ = conn.Close()
		return nil, &dialError{err: net.ErrClosed}
	}
	t.open[tracked] = struct{}{}
	return tracked, nil
}

// closeAll ends every connection and lets no new one be made.
func (t *connTracker) closeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for c := range t.open {
		_ = c.Conn.Close()
	}
	clear(t.open)
}

// trackedConn takes itself off the tracker's list when it is closed.
type trackedConn struct {
	net.Conn

	tracker *connTracker
}

// Close ends the connection.
func (c *trackedConn) Close() error {
	c.tracker.mu.Lock()
	delete(c.tracker.open, c)
	c.tracker.mu.Unlock()
	return c.Conn.Close()
}

// dialError is a connection that could not be made.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

func isDial(err error) bool {
	_, ok := errors.AsType[*dialError](err)
	return ok
}

// reason is the cause in the fewest words, for a line that already has the
// addresses.
func (e *dialError) reason() string {
	if errno, ok := errors.AsType[syscall.Errno](e.err); ok {
		return errno.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](e.err); ok {
		return dns.Err
	}
	if isTimeout(e.err) {
		return "timed out"
	}
	return e.err.Error()
}
