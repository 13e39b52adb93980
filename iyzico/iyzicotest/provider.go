package iyzicotest

import (
	"container/heap"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Provider is the state machine and the books. Make one with [NewProvider].
//
// Its methods are safe for concurrent use, one call at a time. Merchants are
// told apart by their API key alone; signatures are the [Server]'s matter.
type Provider struct {
	settings Settings
	clock    func() time.Time

	mu     sync.Mutex // guards everything below
	rnd    *rand.Rand
	faults Faults
	now    time.Time // of the call or the event at hand
	events events
	serial uint64 // of the last event

	accounts    []*account // in the order they were first seen
	byKey       map[string]*account
	byRequestID map[string]*batch
	byReference map[uint64]*batch
	batches     []*batch // in the order of their init
	unfunded    []*batch // under INSUFFICIENT_BALANCE, oldest first
	transfers   []transfer
	calls       [len(ops)]int
}

// NewProvider returns a provider without batches. It asks now for the time and
// rnd for every chance it takes, both under its own lock.
func NewProvider(s Settings, now func() time.Time, rnd *rand.Rand) (*Provider, error) {
	s, err := s.withDefaults()
	if now == nil || rnd == nil {
		err = errors.Join(err, errors.New("a provider needs a clock and a source of chance"))
	}
	if err != nil {
		return nil, err
	}
	p := &Provider{settings: s, clock: now, rnd: rnd}
	p.clear()
	return p, nil
}

// Reset forgets batches, books, calls and faults.
func (p *Provider) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *Provider) clear() {
	p.faults = Faults{}
	p.events = nil
	p.accounts, p.byKey = nil, map[string]*account{}
	p.byRequestID, p.byReference = map[string]*batch{}, map[uint64]*batch{}
	p.batches, p.unfunded, p.transfers = nil, nil, nil
	p.calls = [len(ops)]int{}
}

// Advance lets everything happen that is due until now. Calls do so by
// themselves; a simulation that only wants to read the books may need it.
func (p *Provider) Advance(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(now)
}

// Next returns the time at which something will happen by itself, and false if
// nothing will.
func (p *Provider) Next() (time.Time, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.events) == 0 {
		return time.Time{}, false
	}
	return p.events[0].at, true
}

// event is something that happens by itself.
type event struct {
	at     time.Time
	serial uint64 // events due at one time happen in the order they were made
	do     func()
}

// after makes do happen that much later than now.
func (p *Provider) after(d time.Duration, do func()) {
	p.serial++
	heap.Push(&p.events, event{p.now.Add(d), p.serial, do})
}

func (p *Provider) advance(now time.Time) {
	for len(p.events) > 0 && !p.events[0].at.After(now) {
		e := heap.Pop(&p.events).(event)
		p.now = e.at
		e.do()
	}
	if now.After(p.now) { // a clock that goes back changes nothing
		p.now = now
	}
}

// events is a heap, the next one first.
type events []event

func (e *events) Len() int      { return len(*e) }
func (e *events) Swap(i, j int) { (*e)[i], (*e)[j] = (*e)[j], (*e)[i] }
func (e *events) Less(i, j int) bool {
	a, b := &(*e)[i], &(*e)[j]
	if a.at.Equal(b.at) {
		return a.serial < b.serial
	}
	return a.at.Before(b.at)
}
func (e *events) Push(x any) { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = event{} // lets its batch go
	*e = (*e)[:last]
	return x
}
