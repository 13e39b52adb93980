package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/bench"
)

// A benchReport is what the bench prints.
type benchReport struct {
	Batch      int            `json:"batch"`
	PageSize   int            `json:"pageSize"`
	Partitions int            `json:"partitions"`
	MaxWait    string         `json:"maxWait"`
	Rate       int            `json:"rate,omitempty"`
	Before     int            `json:"before,omitempty"`
	Life       *bench.Life    `json:"life,omitempty"`
	Idle       *bench.Idle    `json:"idle,omitempty"`
	Rebuild    *bench.Rebuild `json:"rebuild,omitempty"`
	Restart    *bench.Restart `json:"restart,omitempty"`
	Replay     *bench.Replay  `json:"replay,omitempty"`
	Copy       *bench.Copy    `json:"copy,omitempty"`
	Stalled    *bench.Stalled `json:"stalled,omitempty"`
}

func (b *benchReport) say(p *program) {
	if s := b.Stalled; s != nil {
		p.say("stalled     %d payouts wait for an iyzico that does not answer, accepted in %s s: at most %d MiB resident, %d MiB %s s later", s.Payouts, s.Seconds, s.PeakMiB, s.ResidentMiB, s.Watched)
		return
	}
	sayLife(p, b.Life)
	if i := b.Idle; i != nil {
		p.say("idle        %d µs of CPU a second, over %s s", i.CPU, i.Seconds)
	}
	if r := b.Rebuild; r != nil {
		p.say("rebuild     Redis emptied at %d claims: paying again after %s s; filled after %s s, %d claims/s", r.Claims, r.Paying, r.Seconds, r.ClaimsPerSecond)
	}
	if r := b.Restart; r != nil {
		p.say("restart     %d plans behind and %d records before them, %d batches open since before all: paying %s s after a stop, %s s after a kill", r.Plans, r.Behind, r.Open, r.Stopped, r.Killed)
	}
	if r := b.Replay; r != nil {
		p.say("replay      %s s: %d known requests/s, %s µs of CPU, %s allocations each", r.Seconds, r.RequestsPerSecond, r.CPUMicros, r.Allocations)
	}
	if c := b.Copy; c != nil {
		p.say("copy        %s s: %d payouts/s; its reading of the requests alone %d/s", c.Seconds, c.PayoutsPerSecond, c.RequestsPerSecond)
	}
}

// sayLife tells what the life of the payouts cost.
func sayLife(p *program, l *bench.Life) {
	p.say("%d payouts in %d batches, %s s: %d payouts/s", l.Payouts, l.Batches, l.Seconds, l.PayoutsPerSecond)
	p.say("worker      %s µs of CPU, %s allocations, %d bytes allocated a payout; at most %d MiB resident", l.CPUMicros, l.Allocations, l.AllocatedBytes, l.PeakMiB)
	p.say("simulator   %s µs of CPU a payout, beside it", l.Simulator)
	for _, s := range []struct {
		name string
		took bench.Spread
	}{{"to init", l.ToInit}, {"over waiting", l.OverWaiting}, {"to submitted", l.ToSubmitted}, {"to paid", l.ToPaid}} {
		p.say("%-12s p50 %s, p99 %s", s.name, s.took.P50.Round(time.Millisecond), s.took.P99.Round(time.Millisecond))
	}
	var calls []string
	for _, op := range slices.Sorted(maps.Keys(l.Calls)) {
		calls = append(calls, fmt.Sprintf("%s %s", op, l.Calls[op]))
	}
	p.say("iyzico      calls per 1,000 payouts: %s", strings.Join(calls, ", "))
	for _, topic := range slices.Sorted(maps.Keys(l.Topics)) {
		t := l.Topics[topic]
		p.say("%-20s %9d records, %d bytes a payout", topic, t.Records, t.Bytes/int64(l.Payouts))
	}
}
