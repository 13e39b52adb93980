package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/toplu/toplu/internal/seal"
)

// unsealed is said at the start of a service without keys.
const unsealed = "seal.keyDir is not set: recipients, names and descriptions stand in clear in payout.batches and in the dead letters, for ever (docs/security.md)"

// sealers are all whose keys a service needs.
func (s *service) sealers() []string {
	return append(slices.Sorted(maps.Keys(s.cfg.Merchants)), seal.NoMerchant)
}

// sealMetric counts keys that are not there.
func sealMetric(r prometheus.Registerer) *prometheus.GaugeVec {
	missing := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "toplu_seal_keys_missing", Help: "Merchants without a key to seal with, by month: this one, in which their requests wait then, and the next. _ counts as one. Not told without seal.keyDir.",
	}, []string{"month"})
	r.MustRegister(missing)
	return missing
}

// sealsEvery is how often keys are looked for.
const sealsEvery = 5 * time.Second

// checkSeals waits at the start while no merchant has its key of this month: the
// files have not been brought here yet. Nothing could be planned, and a worker would
// tell of plans that it cannot open without their metadata. A single merchant's key
// keeps nobody from starting.
func (s *service) checkSeals(context.Context) error {
	if s.seal == nil {
		return nil
	}
	month := seal.MonthOf(time.Now())
	names, why := s.without(month)
	if !s.none(names) {
		return nil
	}
	return fmt.Errorf("no merchant has a key to seal with in %s (%w): bring the files that the others have, or if nobody has any, toplu keys create", month, why)
}

// none reports whether no merchant is left beside those named.
func (s *service) none(without []string) bool {
	for name := range s.cfg.Merchants {
		if !slices.Contains(without, name) {
			return false
		}
	}
	return true
}

// watchSeals looks whether the keys of this month and of the next are there, and
// says what is not.
func (s *service) watchSeals(ctx context.Context) error {
	missing := sealMetric(s.registry)
	tick := time.NewTicker(sealsEvery)
	defer tick.Stop()
	told := ""
	for {
		months := seal.Months(time.Now(), 2)
		now, why := s.without(months[0])
		next, _ := s.without(months[1])
		missing.WithLabelValues("this").Set(float64(len(now)))
		missing.WithLabelValues("next").Set(float64(len(next)))
		s.tellSeals(months[0], now, why)
		if text := fmt.Sprint(now, next); text != told {
			told = text
			if len(now) > 0 {
				s.log.Error().Strs("merchants", now).Str("month", months[0]).Err(why).Msg("there is no key to seal with: the requests of these merchants wait until toplu keys create")
			}
			if len(next) > 0 {
				s.log.Warn().Strs("merchants", next).Str("month", months[1]).Msg("there is no key for next month yet: toplu keys create")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// tellSeals says in /readyz who has no key: one merchant's trouble is a note, and
// without any key a consumer is not ready.
func (s *service) tellSeals(month string, names []string, why error) {
	text := ""
	if len(names) > 0 {
		text = fmt.Sprintf("no key to seal with in %s for %s: their requests wait until toplu keys create (%v)", month, strings.Join(names, ", "), why)
	}
	if s.none(names) && s.roles.Consumer {
		s.health.set("seal", text)
		s.health.note("seal", "")
		return
	}
	s.health.set("seal", "")
	s.health.note("seal", text)
}

// without lists who has no key for a month, and why the last of them has none.
func (s *service) without(month string) (names []string, why error) {
	for _, name := range s.sealers() {
		if err := s.seal.Ready(seal.ID{Merchant: name, Month: month}); err != nil {
			names, why = append(names, name), err
		}
	}
	return names, why
}
