package iyzicotest

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Probability is a chance in millionths.
type Probability int32

// Always is the probability of what is certain.
const Always Probability = 1_000_000

// UnmarshalJSON reads a number from 0 to 1.
func (p *Probability) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || v < 0 || v > 1 {
		return errors.New("want a number from 0 to 1")
	}
	*p = Probability(math.Ceil(v*1e6 - 1e-6)) // the smallest chance is still one
	return nil
}

// MarshalJSON writes a number from 0 to 1.
func (p Probability) MarshalJSON() ([]byte, error) {
	return []byte(fmt.Sprintf("%d.%06d", p/Always, p%Always)), nil
}

// Millis is a time in milliseconds.
type Millis int64

// UnmarshalJSON reads a whole number that is not negative.
func (m *Millis) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseInt(string(text), 10, 32)
	if err != nil || v < 0 {
		return errors.New("want milliseconds, a whole number not below 0")
	}
	*m = Millis(v)
	return nil
}

func (m Millis) duration() time.Duration { return time.Duration(m) * time.Millisecond }

// Faults are the dials. The zero value turns all of them off. Where a dial
// leaves open whether a call had its effect (ServerError, NotJSON, Redirect),
// it had in one case of two; Truncated cuts the answer after the effect.
type Faults struct {
	// The connection is cut before, or after, the call has its effect.
	InitLostBefore   Probability `json:"initLostBefore,omitempty"`
	InitLostAfter    Probability `json:"initLostAfter,omitempty"`
	AuthLostBefore   Probability `json:"authLostBefore,omitempty"`
	AuthLostAfter    Probability `json:"authLostAfter,omitempty"`
	CancelLostBefore Probability `json:"cancelLostBefore,omitempty"`
	CancelLostAfter  Probability `json:"cancelLostAfter,omitempty"`
	RetrieveLost     Probability `json:"retrieveLost,omitempty"`
	ItemLost         Probability `json:"itemLost,omitempty"`
	BalanceLost      Probability `json:"balanceLost,omitempty"`

	// The connection is cut at once, and the call has its effect that much
	// later, as one that was held up in the network. Default delay: a second.
	InitDelayed     Probability `json:"initDelayed,omitempty"`
	DelayedInitMs   Millis      `json:"delayedInitMs,omitempty"`
	AuthDelayed     Probability `json:"authDelayed,omitempty"`
	DelayedAuthMs   Millis      `json:"delayedAuthMs,omitempty"`
	CancelDelayed   Probability `json:"cancelDelayed,omitempty"`
	DelayedCancelMs Millis      `json:"delayedCancelMs,omitempty"`

	// Answers of the wrong kind, for every call.
	ServerError Probability `json:"serverError,omitempty"` // HTTP 500 with JSON or 503 with HTML
	RateLimit   Probability `json:"rateLimit,omitempty"`   // 50000, never with an effect
	NotJSON     Probability `json:"notJson,omitempty"`     // an HTML page with HTTP 200
	Redirect    Probability `json:"redirect,omitempty"`    // HTTP 307
	Truncated   Probability `json:"truncated,omitempty"`   // the connection is cut amid the body

	// What becomes of lines and batches.
	InvalidItems   Probability `json:"invalidItems,omitempty"`   // of a line: refused at init
	FailItems      Probability `json:"failItems,omitempty"`      // of an item: FAILED at the bank
	DepositSuccess Probability `json:"depositSuccess,omitempty"` // of a FAILED item: its money comes back
	DepositFail    Probability `json:"depositFail,omitempty"`    // of a FAILED item: its money fails to come back
	LowBalance     Probability `json:"lowBalance,omitempty"`     // of a batch: INSUFFICIENT_BALANCE

	Delay       Millis `json:"delayMs,omitempty"`       // before every answer
	SettleDelay Millis `json:"settleDelayMs,omitempty"` // while items are PROCESSING
}

// ParseFaults reads dials from a JSON object. It reports every mistake at
// once, and lists the known dials beside one that is not.
func ParseFaults(data []byte) (Faults, error) {
	var f Faults
	if err := decodeFields(data, &f); err != nil {
		return Faults{}, err
	}
	return f, nil
}

// SetFaults puts these dials in the place of all others, those of single
// merchants too.
func (p *Provider) SetFaults(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance(p.clock())
	p.faults = f
	for _, acct := range p.accounts {
		acct.faults = nil
	}
	p.resume()
}

// SetFaultsOf puts dials in force for the calls of one merchant, in the place of
// those of all. They are the dials of calls and answers; what becomes of lines and
// batches stays with those of all.
func (p *Provider) SetFaultsOf(apiKey string, f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.account(apiKey).faults = &f
}

// Faults returns the dials in force for all.
func (p *Provider) Faults() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// callDials are the dials of one operation.
type callDials struct {
	lostBefore, lostAfter, delayed Probability
	delay                          time.Duration
}

func (f *Faults) of(op Op) callDials {
	delay := func(m Millis) time.Duration {
		if m == 0 {
			return time.Second
		}
		return m.duration()
	}
	switch op {
	case OpInit:
		return callDials{f.InitLostBefore, f.InitLostAfter, f.InitDelayed, delay(f.DelayedInitMs)}
	case OpAuth:
		return callDials{f.AuthLostBefore, f.AuthLostAfter, f.AuthDelayed, delay(f.DelayedAuthMs)}
	case OpCancel:
		return callDials{f.CancelLostBefore, f.CancelLostAfter, f.CancelDelayed, delay(f.DelayedCancelMs)}
	case OpRetrieve:
		return callDials{lostBefore: f.RetrieveLost}
	case OpItem:
		return callDials{lostBefore: f.ItemLost}
	case OpBalance:
		return callDials{lostBefore: f.BalanceLost}
	default:
		return callDials{}
	}
}
