package config

import (
	"maps"
	"slices"
)

// agreementOnMerchants checks what is in force for each merchant.
func (l *loader) agreementOnMerchants(disagree func(name, reason string)) {
	for _, name := range slices.Sorted(maps.Keys(l.cfg.Merchants)) {
		m, prefix := l.cfg.Merchants[name], merchantPrefix+name+"."
		_, cuts := m.CutOff.At.Minutes()
		if cuts && m.CutOff.Opens >= m.CutOff.At {
			disagree(prefix+"batch.cutOff.opens", "is not before batch.cutOff.at: nothing would ever be paid")
		}
		for _, key := range []string{"opens", "zone", "days", "holidays"} {
			if key = prefix + "batch.cutOff." + key; !cuts && l.found[key].where != "default" && l.found[key].where != "" {
				disagree(key, "is set, but batch.cutOff.at is not: there is no cut-off")
			}
		}
	}
}
