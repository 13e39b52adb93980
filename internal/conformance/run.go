package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	// Members returns how many members the ledger's consumer group has now, and
	// whether they have settled who reads what. 0 is for a ledger that uses no
	// group: then nobody waits for a second to join.
	Members func(ctx context.Context) (n int, settled bool, err error)
	// Committed returns the sum of the offsets that the ledger's consumer group has
	// committed on the topic.
	Committed func(ctx context.Context) (int64, error)
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
		switch act {
		default:
			err = s.Publish(ctx, messages)
		case 1:
			ledger, err = s.interrupt(ctx, p, ledger)
		case 2:
			ledger, err = s.handOver(ctx, p, ledger)
		}
		if err != nil {
			return Verdict{}, err
		}
		books, err := s.await(ctx, ledger, func(b Books) bool { return p.curtainDown(act, b) })
		if err != nil {
			return Verdict{}, fmt.Errorf("act %d: %w", act+1, err)
		}
		v = p.Judge(books)
	}
	return v, nil
}

// kills is how often the ledger is killed in the second act.
const kills = 3

// interrupt plays the second act and kills the ledger amid it, time and again:
// right after it has committed an offset, so that what it has taken and not booked
// by then is lost, and after it has booked something, so that what it has not
// committed by then comes again. It returns the one that is started in its place;
// the ledger to be killed in the end is always the one that is returned.
func (s *Stage) interrupt(ctx context.Context, p *Play, ledger *process) (*process, error) {
	messages, end := p.untilCurtain(1)
	n := 0
	for part := range slices.Chunk(messages, (len(messages)+kills-1)/kills) {
		until := s.untilCommit
		if n++; n%2 == 0 {
			until = s.untilBooking
		}
		rest, err := until(ctx, ledger, part)
		if err != nil {
			return ledger, err
		}
		s.say("the ledger is killed amid its work, and started again")
		ledger.kill()
		if err := s.Publish(ctx, rest); err != nil {
			return ledger, err
		}
		again, err := start(s.Consumer, s.Env)
		if err != nil {
			return ledger, err
		}
		ledger = again
	}
	return ledger, s.Publish(ctx, end)
}

// untilCommit publishes messages, half of them at once and more one by one, until
// the ledger commits an offset, and returns those that are left.
func (s *Stage) untilCommit(ctx context.Context, ledger *process, messages []schema.Message) ([]schema.Message, error) {
	before, err := s.Committed(ctx)
	if err != nil {
		return nil, err
	}
	half := (len(messages) + 1) / 2
	if err := s.Publish(ctx, messages[:half]); err != nil {
		return nil, err
	}
	messages = messages[half:]
	if n, _, err := s.Members(ctx); n == 0 || err != nil {
		return messages, err
	}
	limit := time.NewTimer(s.Wait)
	defer limit.Stop()
	for {
		if now, err := s.Committed(ctx); err != nil || now > before {
			return messages, err
		}
		n := min(1, len(messages))
		if err := s.Publish(ctx, messages[:n]); err != nil {
			return nil, err
		}
		messages = messages[n:]
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ledger.done:
			return nil, fmt.Errorf("the ledger ended by itself (%w); its last words:\n%s", ledger.err, ledger.words())
		case <-limit.C:
			return messages, nil // the end of the act will tell
		case <-time.After(time.Millisecond):
		}
	}
}

// untilBooking publishes half of the messages, waits until something is booked,
// and returns the others.
func (s *Stage) untilBooking(ctx context.Context, ledger *process, messages []schema.Message) ([]schema.Message, error) {
	before, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	half := (len(messages) + 1) / 2
	if err := s.Publish(ctx, messages[:half]); err != nil {
		return nil, err
	}
	_, err = s.await(ctx, ledger, func(b Books) bool { return !maps.Equal(b, before) })
	if errors.Is(err, ErrBehind) {
		err = nil // the end of the act will tell
	}
	return messages[half:], err
}

// handOver plays the third act: amid it a second ledger joins the first and
// takes over some of its partitions, and then the first is killed. It returns
// the second.
func (s *Stage) handOver(ctx context.Context, p *Play, first *process) (*process, error) {
	messages, end := p.untilCurtain(2)
	publish := func(n int) error {
		n = min(n, len(messages))
		err := s.Publish(ctx, messages[:n])
		messages = messages[n:]
		return err
	}
	third := len(messages) / 3
	if err := publish(third); err != nil {
		return first, err
	}
	if err := s.awaitStart(ctx, p, 2, first); err != nil {
		return first, err
	}
	s.say("a second ledger is started beside it")
	second, err := start(s.Consumer, s.Env)
	if err != nil {
		return first, err
	}
	// Meanwhile the first goes on booking, after the second has looked at the books.
	trickle := func() error { return publish(min(1+third/20, max(0, len(messages)-third))) }
	if err := s.awaitMembers(ctx, first, second, trickle); err != nil {
		second.kill()
		return first, err
	}
	if err := publish(len(messages)); err != nil {
		second.kill()
		return first, err
	}
	s.say("the first is killed, the second takes over")
	first.kill()
	return second, s.Publish(ctx, end)
}

// awaitStart waits until something of an act is booked, or for a while.
func (s *Stage) awaitStart(ctx context.Context, p *Play, act int, ledger *process) error {
	_, err := s.await(ctx, ledger, func(b Books) bool { return p.started(act, b) })
	if errors.Is(err, ErrBehind) {
		return nil // the end of the act will tell
	}
	return err
}

// awaitMembers waits until both ledgers are in the group. Whenever it looks it
// calls meanwhile.
func (s *Stage) awaitMembers(ctx context.Context, first, second *process, meanwhile func() error) error {
	limit := time.NewTimer(s.Wait)
	defer limit.Stop()
	for {
		n, settled, err := s.Members(ctx)
		switch {
		case err != nil:
			return err
		case n == 2 && settled:
			return nil
		case n == 0:
			s.say("the ledger is not in the group that it was given: nobody waits for the second to join")
			return nil
		}
		if err := meanwhile(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-first.done:
			return fmt.Errorf("the ledger ended by itself when a second joined (%w); its last words:\n%s", first.err, first.words())
		case <-second.done:
			return fmt.Errorf("the second ledger ended by itself (%w); its last words:\n%s", second.err, second.words())
		case <-limit.C:
			return fmt.Errorf("a second ledger did not join the group within %s; its last words:\n%s", s.Wait, second.words())
		case <-time.After(100 * time.Millisecond):
		}
	}
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
