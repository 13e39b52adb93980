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
		Name: "toplu_seal_keys_missing", Help: "Merchants without a key to seal with, by month: this one, in which nothing is planned then, and the next. Not told without seal.keyDir.",
	}, []string{"month"})
	r.MustRegister(missing)
	return missing
}

// watchSeals looks every minute whether the keys of this month and of the next
// are there, and says what is not.
func (s *service) watchSeals(ctx context.Context) error {
	missing := sealMetric(s.registry)
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	told := ""
	for {
		months := seal.Months(time.Now(), 2)
		now, why := s.without(months[0])
		next, _ := s.without(months[1])
		missing.WithLabelValues("this").Set(float64(len(now)))
		missing.WithLabelValues("next").Set(float64(len(next)))
		reason := ""
		if len(now) > 0 && s.roles.Consumer {
			reason = fmt.Sprintf("no key to seal with in %s for %s: %v", months[0], strings.Join(now, ", "), why)
		}
		s.health.set("seal", reason)
		if text := fmt.Sprint(now, next); text != told {
			told = text
			if len(now) > 0 {
				s.log.Error().Strs("merchants", now).Str("month", months[0]).Err(why).Msg("there is no key to seal with: nothing is planned for these merchants, nor behind them, until toplu keys create")
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

// without lists who has no key for a month, and why the last of them has none.
func (s *service) without(month string) (names []string, why error) {
	for _, name := range s.sealers() {
		if err := s.seal.Ready(seal.ID{Merchant: name, Month: month}); err != nil {
			names, why = append(names, name), err
		}
	}
	return names, why
}
