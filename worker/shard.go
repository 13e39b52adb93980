package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/schema"
)

// A Shard folds one partition of the plan log and the journal and drives its
// batches. One goroutine, the loop, owns every field below the first group;
// calls and log reads run beside it and hand their results in as functions.
type Shard struct {
	number   int
	cfg      Config
	ports    Ports
	session  string                   // fresh for each assignment: who wrote a record
	trouble  atomic.Pointer[string]   // why nothing new is paid, for whoever asks
	absent   atomic.Pointer[[]string] // merchants that are not in the configuration, for whoever asks
	pageSize atomic.Int64             // of reports; smaller once iyzico has refused a large one
	log      zerolog.Logger
	mail     chan result
	calls    context.Context
	fail     chan error

	// The fold of the journal.
	logID        string
	epoch        string
	pauses       map[int64]string // offset of the paused record → scope
	commandsNext int64            // first command that was not dealt with
	journalNext  int64            // first offset not folded
	journalGoal  int64            // end of the journal when this session began
	recovery     recovery
	quarantine   map[int64]bool // plans that own nothing since nobody can read them
	closings     map[int64]bool // of the pauses, those that only [schema.CmdOpen] lifts
	floors       floors

	// The fold of the plans.
	plansNext int64 // first offset not folded
	plansGoal int64
	stuckAt   int64      // a plan that cannot be read, or None
	stuck     string     // why
	claimsOK  bool       // the claims stand at the fold's end, under the right epoch
	doubts    chan error // what a look-up says against the claims, for the folder
	batches   map[int64]*batch
	asleep    map[int64]*batch   // answered, and watched for money that comes back
	early     map[int64][]queued // records whose plan has not been folded yet

	// Turns.
	merchants map[string]*merchant
	order     []string // merchant names, in the order of turns

	// What is on its way.
	flying    int
	stopping  bool
	wakes     wakes
	outbox    outbox
	seenWords map[string]bool // words of iyzico's that were logged as new
	parked    []chan struct{} // log readers that wait until the outbox has room
	check     checkpointing
	gauges    gauging
}

// NewShard returns the driver of one shard, with a session of its own. A shard
// that was given up and comes back must be a new one.
func NewShard(number int, cfg Config, ports Ports) *Shard {
	session := ports.NewID()
	if ports.Seal == nil {
		ports.Seal = noSeal{}
	}
	s := &Shard{
		number: number, cfg: cfg.withDefaults(), ports: ports, session: session,
		log:  ports.Log.With().Int("shard", number).Str("session", session).Logger(),
		mail: make(chan result), fail: make(chan error, 1), doubts: make(chan error, 1),
		pauses: map[int64]string{}, batches: map[int64]*batch{}, asleep: map[int64]*batch{}, quarantine: map[int64]bool{}, closings: map[int64]bool{}, floors: floors{}, stuckAt: None, early: map[int64][]queued{},
		merchants: map[string]*merchant{}, seenWords: map[string]bool{}, gauges: newGauging(),
		outbox: outbox{tally: tally{metrics: ports.Metrics}},
	}
	s.pageSize.Store(int64(s.cfg.PageSize))
	return s
}

// Run drives the shard until ctx ends, then makes no new call, lets those in
// flight finish and writes down what they answered. It returns nil then, and
// an error if the shard had to stop: the logs are not what they should be, or
// show what the protocol rules out.
func (s *Shard) Run(ctx context.Context) error {
	// Calls outlive ctx: an init cut short is an answer lost for nothing. Each
	// has a time-out of its own.
	calls, cancelCalls := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelCalls()
	s.calls = calls
	defer s.ports.Metrics.left(s.number, s.session)
	follow, cancelFollow := context.WithCancel(ctx)
	defer cancelFollow()

	if err := s.recover(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	s.log.Info().Int64("journalFrom", s.journalNext).Int64("journalEnd", s.journalGoal).Int64("plansFrom", s.recovery.planOffset).Int64("plansEnd", s.plansGoal).Msg("shard taken, reading its logs")
	s.spawn(func(context.Context) func() { return s.followJournal(follow) })
	s.spawn(func(context.Context) func() { return s.followPlans(follow) })
	s.spawn(func(context.Context) func() { return s.followCommands(follow) })
	s.spawn(func(context.Context) func() { return s.guard(follow) })
	return s.loop(ctx, cancelFollow, cancelCalls)
}

// loop runs what the goroutines hand in and moves every batch on that can move.
func (s *Shard) loop(ctx context.Context, cancelFollow, cancelCalls context.CancelFunc) (err error) {
	defer func() {
		if r := recover(); r != nil {
			impossible, ok := r.(*ImpossibleError)
			if !ok {
				panic(r)
			}
			err = impossible
		}
		cancelFollow()
		late := time.AfterFunc(s.cfg.StopTimeout, cancelCalls) // a write that cannot succeed ends too
		defer late.Stop()
		s.drain()
	}()
	done := ctx.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var late *time.Timer
	defer func() {
		if late != nil {
			late.Stop()
		}
	}()
	for {
		if s.stopping && s.idle() && !s.partingCheckpoint() {
			return nil
		}
		timer.Reset(s.untilWake())
		select {
		case r := <-s.mail:
			s.take(r)
		case <-timer.C:
			s.wakeDue()
		case err := <-s.fail:
			return err
		case <-done:
			done = nil
			s.stopping = true
			s.log.Info().Int("inFlight", s.flying).Msg("giving the shard up: no new calls")
			cancelFollow()
			// What has not answered by then has lost its answer; the next session
			// asks iyzico.
			late = time.AfterFunc(s.cfg.StopTimeout, cancelCalls)
		}
		s.turns()
		s.publish()
		s.checkpoint()
		s.gauge()
	}
}

// idle reports whether nothing of this session is in flight.
func (s *Shard) idle() bool { return s.flying == 0 && s.outbox.empty() }

// A result is what a goroutine beside the loop hands in.
type result struct {
	then func()        // to be run by the loop; may be nil
	ends bool          // the goroutine has ended
	ran  chan struct{} // closed when then has run; may be nil
}

func (s *Shard) take(r result) {
	if r.ends {
		s.flying--
	}
	if r.ran != nil {
		// Also when then panics: whoever handed it in must not wait for ever.
		defer func() {
			if s.outbox.full() {
				s.parked = append(s.parked, r.ran) // whoever reads the logs waits for the statuses
				return
			}
			close(r.ran)
		}()
	}
	if r.then != nil {
		r.then()
	}
}

// unpark lets the readers of the logs go on.
func (s *Shard) unpark() {
	for _, ran := range s.parked {
		close(ran)
	}
	s.parked = nil
}

// drain waits for what is in flight, so that no goroutine outlives Run, and
// throws the results away: whoever comes next reads the logs.
func (s *Shard) drain() {
	s.unpark()
	for s.flying > 0 {
		r := <-s.mail
		r.then = nil
		s.take(r)
		s.unpark()
	}
}

// stop ends the shard with an error: nothing more is called or written.
func (s *Shard) stop(err error) {
	select {
	case s.fail <- err:
	default:
	}
	s.stopping = true
}

// spawn runs f beside the loop, and what it returns in the loop.
func (s *Shard) spawn(f func(ctx context.Context) func()) {
	s.flying++
	go func() {
		then := f(s.calls)
		s.mail <- result{then: then, ends: true}
	}()
}

// hand gives f to the loop and returns when it has run.
func (s *Shard) hand(ctx context.Context, f func()) error {
	if err := ctx.Err(); err != nil {
		return err // or select would draw lots, and no run could be repeated
	}
	ran := make(chan struct{})
	select {
	case s.mail <- result{then: f, ran: ran}:
		<-ran
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ready reports whether the shard may act: both logs are read to the end they
// had when this session began.
func (s *Shard) ready() bool {
	return s.journalNext >= s.journalGoal && s.plansNext >= s.plansGoal
}

// followJournal reads the journal for as long as ctx lasts.
func (s *Shard) followJournal(ctx context.Context) func() {
	next := s.journalNext
	retry := s.cfg.backOff(s.cfg.Grace)
	for ctx.Err() == nil {
		chunk, err := s.ports.Journal.Read(ctx, next)
		if err != nil {
			if s.logLost(ctx, "journal", err) || pause(ctx, retry.NextBackOff()) != nil {
				return nil
			}
			continue
		}
		retry.Reset()
		records := make([]schema.Record, len(chunk.Entries))
		for i, e := range chunk.Entries {
			if records[i], err = schema.DecodeRecord(e.Value); err != nil {
				s.stopFrom(ctx, fmt.Errorf("shard %d: payout.journal offset %d cannot be read: %w", s.number, e.Offset, err))
				return nil
			}
		}
		next = chunk.Next
		if s.hand(ctx, func() {
			for i := range records {
				s.foldRecord(chunk.Entries[i].Offset, &records[i])
			}
			s.journalNext = chunk.Next
			s.advanceAll()
		}) != nil {
			return nil
		}
	}
	return nil
}

// logLost says that a log could not be read, and reports whether the shard has
// to stop because what it read before is gone.
func (s *Shard) logLost(ctx context.Context, name string, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	if _, gone := errors.AsType[*OutOfRangeError](err); gone {
		s.stopFrom(ctx, fmt.Errorf("shard %d: the %s is not the one that was read before: %w; Kafka has lost or replaced it, nothing is paid until a person has looked", s.number, name, err))
		return true
	}
	s.log.Warn().Err(err).Str("log", name).Msg("cannot read the log, trying again")
	return false
}

func (s *Shard) stopFrom(ctx context.Context, err error) {
	_ = s.hand(ctx, func() { s.stop(err) })
}

// A queued record waits for its batch to be in memory. Which pauses
// stood is judged at its place in the log, so they are kept with it.
type queued struct {
	offset int64
	record schema.Record
	scopes []string // of the pauses that stood
	void   refusal  // why it does not count, whatever the batch
}

// foldRecord folds one journal record.
func (s *Shard) foldRecord(offset int64, r *schema.Record) {
	s.check.records++
	void := counts
	if r.Command > 0 {
		if r.Command <= s.commandsNext {
			void = dealtWith
		}
		s.commandsNext = max(s.commandsNext, r.Command)
	}
	switch {
	case r.Closes():
		s.pauses[offset], s.closings[offset] = r.Scope, true
		return
	case r.Type == schema.RecGenesis || r.Type == schema.RecCheckpoint:
		s.gauges.checkpointed(r)
		return
	case r.Type == schema.RecEpoch:
		if r.Previous == s.epoch {
			s.epoch = r.Epoch
		}
		return
	case r.Type == schema.RecNoted:
		return
	case r.Batch == "" && void != counts:
		return
	case r.Type == schema.RecPaused:
		s.pauses[offset] = r.Scope
		return
	case r.Type == schema.RecQuarantined:
		s.quarantine[r.Plan] = true
		return
	case r.Type == schema.RecResumed && r.Batch == "":
		for _, o := range r.Which {
			delete(s.pauses, o)
			delete(s.closings, o)
		}
		return
	case r.Type == schema.RecFloor:
		s.floors.take(r)
		return
	}
	q := queued{offset, *r, s.scopes(), void}
	b := s.batches[r.Plan]
	switch {
	case b != nil:
		if b.plan == nil {
			b.queue = append(b.queue, q)
			return
		}
		s.applyRecord(b, q)
	case r.Plan >= s.plansNext || s.recovery.untold(r.Plan):
		s.early[r.Plan] = append(s.early[r.Plan], q)
	case s.takeTurn(r.Plan) || s.rouse(r.Plan):
		// Someone else has begun it, or a person speaks of it: its turn is now.
		b = s.batches[r.Plan]
		b.queue = append(b.queue, q)
	default:
		s.log.Debug().Str("batch", r.Batch).Str("type", string(r.Type)).Int64("offset", offset).Msg("a record of a closed batch changes nothing")
	}
}

// applyRecord folds a record into a batch that is in memory, and lets go of the
// wait for it if it is the one this session wrote.
func (s *Shard) applyRecord(b *batch, q queued) {
	if q.record.Batch != b.plan.ID {
		panic(&ImpossibleError{b.plan.ID, fmt.Sprintf("journal offset %d names batch %s at this plan's offset", q.offset, q.record.Batch)})
	}
	emit := b.emit
	if q.offset < max(s.recovery.journalOffset, b.drive.told) {
		b.emit = nil // published before the checkpoint was written, or the batch fell asleep
	}
	why := q.void
	if why == counts {
		why = b.apply(q.offset, &q.record, PausedIn(q.scopes, b.merchant))
	}
	b.emit = emit
	if b.drive.awaits != None && q.offset >= b.drive.awaits {
		b.drive.awaits, b.drive.busy = None, false
	}
	s.log.Info().Str("batch", b.plan.ID).Str("record", string(q.record.Type)).Int("attempt", q.record.Attempt).Str("requestId", q.record.RequestID).
		Int64("offset", q.offset).Str("phase", b.phase.String()).Bool("counts", why == counts).Str("void", string(why)).Msg("journal")
	if b.closed {
		s.forget(b)
	}
}

// scopes lists the scopes of the pauses that stand.
func (s *Shard) scopes() []string {
	var all []string
	for _, scope := range s.pauses {
		all = append(all, scope)
	}
	return all
}

// PausedIn reports whether one of the scopes of pauses in force is the merchant's or everybody's, which is "".
func PausedIn(scopes []string, merchant string) bool {
	return slices.Contains(scopes, "") || slices.Contains(scopes, merchant)
}

// sorted returns the batches in memory in the order of the log.
func (s *Shard) sorted() []*batch {
	all := make([]*batch, 0, len(s.batches))
	for _, b := range s.batches {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b *batch) int { return int(a.offset - b.offset) })
	return all
}
