package simulation_test

import (
	"math/rand/v2"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
)

// A theme makes a meeting of several rare things likely, so that a rule that is
// needed only there is tried in hours and not in weeks. Whatever a theme does,
// a world without one can do.
type theme int

const (
	lateRecords     theme = iota // what was written of an attempt comes when it has ended
	lateRefusals                 // of two sessions one is refused, the other not
	youngLists                   // a report leaves out the lines that are too young
	lostLetters                  // dead letters are hard to write, and whoever writes them dies
	twoEpochs                    // two sessions begin a shard at once
	quiet                        // one session, no lag, answers lost
	namelessBatches              // a requestId whose answer is late is told by nobody else
	voidedAuths                  // an auth that took is cancelled before it shows
	movingPages                  // the lines of a report change their pages while it is read
	sleepers                     // whoever has written a record falls asleep before it reads it
	themes
)

// Codes of the simulator, and one of the simulation's own.
const (
	duplicateCode  = "SIM1001" // externalId was used before
	refusedForGood = "SIM2001" // an init without any effect
)

// dress gives a profile what its theme needs.
func (p *profile) dress(r *rand.Rand) {
	s := &p.settings
	lag := iyzicotest.Duration(2*p.cfg.Grace) + iyzicotest.Duration(r.Int64N(int64(4*p.cfg.Grace)))
	switch p.theme {
	case lateRecords:
		p.owners, p.linger, p.spite, p.ambush = max(p.owners, 2), 100+r.IntN(400), false, 300
		p.odds[appends].delayed, s.AuthVisibleAfter = 200+r.IntN(200), lag
	case lateRefusals:
		p.owners, p.linger, p.second, p.refuse = 3, 100+r.IntN(400), 300, 300
		p.odds[appends].delayed, p.odds[inits].delayed = 200+r.IntN(200), 0
		p.cfg.RejectCodes = []string{refusedForGood, duplicateCode}
	case youngLists:
		p.items, p.odds[inits].after, p.odds[asks] = max(p.items, 3), 400, odds{}
		s.RetrieveLag, s.RetrieveLagMode, s.PageWithRequestID = lag, iyzicotest.LagPerItem, true
		p.cfg.SkipBalance = true
	case lostLetters:
		p.odds[letters].before, p.odds[appends].crash, p.replay = 500+r.IntN(400), 60, 300
		p.cfg.CheckpointRecords = 2
	case twoEpochs:
		p.owners, p.second, p.redis, p.consumer = 3, 500, 150, true
		p.odds[appends].slow = 300
	case namelessBatches:
		p.owners, p.linger, p.second, p.ambush = 3, 100+r.IntN(400), 400, 300
		p.odds[inits].slow, p.odds[inits].after, p.odds[appends].delayed = 500, 300, 250
		// An auth that shows at once: what does not show yet is voided by the cancel
		// of an orphan.
		s.ItemWithoutRequestID, s.PageWithRequestID, s.AuthVisibleAfter = true, false, 0
	case voidedAuths:
		p.owners, p.linger, p.spite, p.ambush = max(p.owners, 2), 100+r.IntN(400), false, 300
		p.odds[appends].delayed, p.odds[auths] = 300, odds{}
		s.AuthAnswer, s.AuthVisibleAfter, s.Balance = iyzicotest.AuthAnswerHonest, lag, nil
	case movingPages:
		p.spiteful()
		s.ItemOrder, s.RetrieveLag, s.RetrieveLagMode = iyzicotest.ItemOrderLastChanged, lag, iyzicotest.LagRandom
		p.cfg.PageSize = 1 + r.IntN(2)
	case sleepers:
		p.owners, p.second, p.nap = 3, 400, 50
		s.RetrieveLag = lag
	case quiet:
		p.owners, p.spite, p.theme = 1, false, quiet
		p.odds[inits] = odds{before: 150, after: 300}
		s.RetrieveLag, s.DuplicateExternalID = 0, iyzicotest.DuplicateSecond
		p.cfg.Grace = max(p.cfg.Grace, 5*time.Second)
	case themes:
	}
}
