package redisclaim

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/toplu/toplu/worker"
)

// explain says what an error of the client means. Every one of them leaves
// open whether something was done; since all may be sent again, nobody needs to
// know. No error of Redis or of the client carries an argument of a command.
func explain(err error) error {
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" && dial.Addr != nil {
		return fmt.Errorf("redis: cannot reach %s: %w", dial.Addr, innermost(dial.Err))
	}
	if _, ok := errors.AsType[redis.Error](err); ok && strings.Contains(err.Error(), "WRONGTYPE") {
		// A key of ours holds something that this package never writes.
		return worker.ErrClaimsCorrupt
	}
	if strings.HasPrefix(err.Error(), "redis: ") {
		return err
	}
	return fmt.Errorf("redis: %w", err)
}

// innermost is the plain reason: "connection refused".
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
