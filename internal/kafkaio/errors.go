package kafkaio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

var (
	// ErrClosed is returned by every call on a client that was closed.
	ErrClosed = errors.New("kafka: the client is closed")

	// ErrLogin means that a broker refused the user, its password or the
	// mechanism. To a client that was let in before it is a trouble of the moment,
	// as when a password is being exchanged; see [Temporary].
	ErrLogin = errors.New("kafka: the login was refused")

	// ErrTopicMissing means that the cluster knows no such topic or partition.
	// While a cluster starts this may be wrong for some seconds.
	ErrTopicMissing = errors.New("kafka: no such topic")

	// ErrTopicExists means that a topic to be created is already there.
	ErrTopicExists = errors.New("kafka: the topic exists already")

	// ErrTooLarge means that a message is larger than the topic takes. Nothing
	// of it was written.
	ErrTooLarge = errors.New("kafka: the message is too large")

	// ErrUnknownOutcome means that messages may have been written, or not, or
	// may still be. Only reading the partition tells.
	ErrUnknownOutcome = errors.New("kafka: it is unknown whether this was written")

	// ErrOutOfRange is what [OutOfRangeError] is, for errors.Is.
	ErrOutOfRange = errors.New("kafka: the offset is outside of the log")

	// ErrNoRecord means that there is no committed record at an offset.
	ErrNoRecord = errors.New("kafka: no record at this offset")

	// ErrCorrupt means that what a broker sent cannot be read: a wrong
	// checksum, or bytes that are no record batch.
	ErrCorrupt = errors.New("kafka: the records cannot be read")

	// ErrFenced means that a commit was refused since its member or generation
	// is no longer, or not yet again, the group's.
	ErrFenced = errors.New("kafka: the group has moved on")

	// ErrGenerationEnded is the cause of a generation's context when the group
	// has begun to rebalance, or the membership was lost.
	ErrGenerationEnded = errors.New("kafka: the generation has ended")
)

// OutOfRangeError says that a read was asked for an offset that the log does
// not have: it was deleted, or the log is shorter than it was. It is
// [ErrOutOfRange] for errors.Is.
type OutOfRangeError struct {
	Topic     string
	Partition int
	Asked     int64 // the offset that was asked for
	LogStart  int64 // the first offset there is, or -1 if that could not be learned
	End       int64 // one past the last (the high watermark), or -1 if that could not be learned
}

// Error says which offset was asked for and which there are.
func (e *OutOfRangeError) Error() string {
	return fmt.Sprintf("kafka: %s/%d has no offset %d, only %d up to but not including %d",
		e.Topic, e.Partition, e.Asked, e.LogStart, e.End)
}

// Is makes the error an [ErrOutOfRange].
func (e *OutOfRangeError) Is(target error) bool { return target == ErrOutOfRange }

// Temporary reports whether the same call may well succeed a little later: the
// cluster cannot be reached, a partition changes its leader, a coordinator is
// loading. It is false for [ErrUnknownOutcome] and [ErrFenced], whatever caused
// them, for a caller's own context, and for everything that waiting does not
// mend.
func Temporary(err error) bool {
	for _, final := range []error{ErrUnknownOutcome, ErrFenced, ErrCorrupt, ErrClosed} {
		if errors.Is(err, final) {
			return false
		}
	}
	if _, ok := errors.AsType[*transientError](err); ok {
		return true
	}
	code, ok := errors.AsType[kafka.Error](err)
	switch {
	case !ok, code == kafka.InvalidMessage: // damaged in the log, to a reader
		return false
	case code == kafka.Unknown, code == kafka.BrokerNotAvailable, code == kafka.ReplicaNotAvailable:
		return true
	}
	return code.Temporary()
}

// transientError is a trouble of the moment.
type transientError struct {
	text   string
	err    error
	unsent bool // proven: the request was not sent
}

func (e *transientError) Error() string { return e.text }
func (e *transientError) Unwrap() error { return e.err }

// asUnsent marks the reason why a request was not sent as that.
func asUnsent(err error) error {
	if transient, ok := errors.AsType[*transientError](err); ok {
		marked := *transient
		marked.unsent = true
		return &marked
	}
	return err
}

// isUnsent reports whether err proves that its request was never sent.
func isUnsent(err error) bool {
	transient, ok := errors.AsType[*transientError](err)
	return ok && transient.unsent
}

// codeError makes an error of a broker's error code, nil for 0.
func codeError(code int16) error {
	if code == 0 {
		return nil
	}
	return kafka.Error(code)
}

// isLogin reports whether a connection ended while it logged in.
func isLogin(err error) bool {
	code, ok := errors.AsType[kafka.Error](err)
	return ok && (code == kafka.SASLAuthenticationFailed || code == kafka.UnsupportedSASLMechanism || code == kafka.IllegalSASLState)
}

func isTimeout(err error) bool {
	nerr, ok := errors.AsType[net.Error](err)
	return ok && nerr.Timeout()
}

// isNetwork reports whether err is a connection that broke.
func isNetwork(err error) bool {
	var nerr net.Error
	var errno syscall.Errno
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.ErrClosedPipe) || errors.As(err, &nerr) || errors.As(err, &errno)
}

// isDecoding reports whether err came of bytes that could be received but not
// understood, and not of the network, a broker's code, or a context.
func isDecoding(err error) bool {
	var code kafka.Error
	var routing protocol.Error
	return err != nil && !Temporary(err) && !errors.Is(err, ErrClosed) && !errors.As(err, &code) && !errors.As(err, &routing) &&
		!errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
