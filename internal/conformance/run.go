package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/toplu/toplu/schema"
)

// A Stage is where a play is performed, and for whom.
type Stage struct {
	// Publish writes messages to the topic, each to the partition of its key, and
	// in order.
	Publish func(ctx context.Context, messages []schema.Message) error
	// Consumer is the command line of the ledger under test.
	Consumer []string
	// Books is the command line that prints its books.
	Books []string
	// Env are the variables both get beside those of this process, as NAME=value.
	Env []string
	// Wait is how long the ledger may take over an act. It must be longer than the
	// session time-out of its consumer group: a member that was killed keeps its
	// partitions until then.
	Wait time.Duration
	// Say is told what happens, a sentence at a time. It may be nil.
	Say func(string)
}

// ErrBehind means that a ledger had not booked an act's last payouts in time.
var ErrBehind = errors.New("the ledger did not get to the end")

// Run performs a play and returns the verdict. The error is about the
// performance: a program that cannot be started or ends by itself, books that
// cannot be read, or [ErrBehind]. There is no verdict then.
func Run(ctx context.Context, p *Play, s Stage) (Verdict, error) {
	var v Verdict
	ledger, err := start(s.Consumer, s.Env)
	if err != nil {
		return v, err
	}
	defer func() { ledger.kill() }()
	for act, messages := range p.Acts {
		s.say("act %d: %d events", act+1, len(messages))
		if err := s.Publish(ctx, messages); err != nil {
			return v, err
		}
		if act == 1 {
			if _, err := s.await(ctx, ledger, p.started); err != nil && !errors.Is(err, ErrBehind) {
				return v, err
			}
			s.say("the ledger is killed amid its work, and started again")
			ledger.kill()
			again, err := start(s.Consumer, s.Env)
			if err != nil {
				return v, err
			}
			ledger = again
		}
		books, err := s.await(ctx, ledger, func(b Books) bool { return p.curtainDown(act, b) })
		if err != nil {
			return Verdict{}, fmt.Errorf("act %d: %w", act+1, err)
		}
		v = p.Judge(books)
	}
	return v, nil
}

// await reads the books until they are as wanted, and returns them. When time
// is up the error is [ErrBehind], with the last books.
func (s *Stage) await(ctx context.Context, ledger *process, wanted func(Books) bool) (Books, error) {
	limit := time.NewTimer(s.Wait)
	defer limit.Stop()
	for {
		books, err := s.read(ctx)
		if err != nil {
			return nil, err
		}
		if wanted(books) {
			return books, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ledger.done:
			return nil, fmt.Errorf("the ledger ended by itself (%w); its last words:\n%s", ledger.err, ledger.words())
		case <-limit.C:
			return books, fmt.Errorf("%w within %s; its last words:\n%s", ErrBehind, s.Wait, ledger.words())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (s *Stage) say(format string, args ...any) {
	if s.Say != nil {
		s.Say(fmt.Sprintf(format, args...))
	}
}
