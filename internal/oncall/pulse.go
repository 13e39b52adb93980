package oncall

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// A Pulse is what a process tells of its calls to iyzico, every [PulseEvery].
type Pulse struct {
	Process   string          `json:"process"`
	At        time.Time       `json:"at"`
	Merchants []MerchantPulse `json:"merchants"`
}

// A MerchantPulse is how a merchant's calls to iyzico went.
type MerchantPulse struct {
	Merchant    string       `json:"merchant"`
	Calls       int          `json:"callsInTheLastMinute"`
	Failed      int          `json:"failedInTheLastMinute"`
	LastSuccess *time.Time   `json:"lastSuccessAt,omitempty"`
	LastFailure *CallFailure `json:"lastFailure,omitempty"`
	// Breaker is [BreakerOpen] while a process makes no calls for the merchant but
	// auth, since iyzico refuses them or does not answer.
	Breaker         string     `json:"breaker,omitempty"`
	BalanceTooLowAt *time.Time `json:"balanceTooLowAt,omitempty"` // when a batch last had to wait for money
}

// BreakerOpen is the state of a circuit breaker that lets no call through.
const BreakerOpen = "open"

// A CallFailure is a call that was refused, or whose end is not known.
type CallFailure struct {
	At      time.Time `json:"at"`
	Op      string    `json:"op"`
	Outcome string    `json:"outcome"`
	Code    string    `json:"code,omitempty"` // iyzico's
}

// PulseEvery is how often a process tells; pulses of processes that have told
// nothing for six times as long are not believed any more.
const PulseEvery = 5 * time.Second

// Pulses joins what the processes last told, by merchant. Without a board it is
// empty.
func (d *Desk) Pulses(ctx context.Context) ([]MerchantPulse, error) {
	if d.Notes == nil {
		return []MerchantPulse{}, nil
	}
	notes, err := d.Notes(ctx)
	if err != nil {
		return []MerchantPulse{}, err
	}
	return joinPulses(notes, d.Now())
}

func joinPulses(notes map[string]string, now time.Time) ([]MerchantPulse, error) {
	joined := map[string]*MerchantPulse{}
	var errs []error
	for _, note := range notes {
		var p Pulse
		if err := json.Unmarshal([]byte(note), &p); err != nil {
			errs = append(errs, err)
			continue
		}
		if now.Sub(p.At) > 6*PulseEvery {
			continue
		}
		for _, m := range p.Merchants {
			j := joined[m.Merchant]
			if j == nil {
				j = &MerchantPulse{Merchant: m.Merchant}
				joined[m.Merchant] = j
			}
			j.Calls += m.Calls
			j.Failed += m.Failed
			if m.LastSuccess != nil && (j.LastSuccess == nil || m.LastSuccess.After(*j.LastSuccess)) {
				j.LastSuccess = m.LastSuccess
			}
			if m.Breaker != "" {
				j.Breaker = m.Breaker
			}
			if m.BalanceTooLowAt != nil && (j.BalanceTooLowAt == nil || m.BalanceTooLowAt.After(*j.BalanceTooLowAt)) {
				j.BalanceTooLowAt = m.BalanceTooLowAt
			}
			if m.LastFailure != nil && (j.LastFailure == nil || m.LastFailure.At.After(j.LastFailure.At)) {
				j.LastFailure = m.LastFailure
			}
		}
	}
	all := []MerchantPulse{}
	for _, m := range joined {
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b MerchantPulse) int { return cmp.Compare(a.Merchant, b.Merchant) })
	return all, errors.Join(errs...)
}
