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
	meddlers                     // people are at work all the time, and sessions do not last
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
	case lateRecords, lateRefusals, namelessBatches, voidedAuths, movingPages, sleepers:
		// What happens to attempts must happen before the storm is over: nothing
		// waits for the clock or for people.
		p.opens, p.closed, p.cfg.Merchants, p.steps = 0, false, nil, 500+r.IntN(300)
	case youngLists, lostLetters, twoEpochs, quiet, meddlers, themes:
	}
	switch p.theme {
	case lateRecords:
		p.owners, p.linger, p.spite, p.ambush = max(p.owners, 2), 100+r.IntN(400), false, 300
		p.odds[appends].delayed, s.AuthVisibleAfter = 200+r.IntN(200), lag
		p.faults.FailItems, p.faults.DepositSuccess = iyzicotest.Always/2, iyzicotest.Always/2 // so that reports differ
		s.Refund, s.RefundAfter, p.items = iyzicotest.RefundByDial, iyzicotest.Duration(p.cfg.Grace), max(p.items, 4)
	case lateRefusals:
		p.owners, p.linger, p.second, p.refuse = 3, 100+r.IntN(400), 300, 300
		p.odds[appends].delayed, p.odds[inits].delayed = 200+r.IntN(200), 0
		p.cfg.RejectCodes = []string{refusedForGood, duplicateCode}
	case youngLists:
		p.items, p.odds[inits].after, p.odds[asks] = max(p.items, 3), 400, odds{}
		s.RetrieveLag, s.RetrieveLagMode, s.PageWithRequestID = lag, iyzicotest.LagPerItem, true
		p.cfg.SkipBalance = true
	case lostLetters:
		p.odds[letters].before, p.odds[appends].crash, p.replay, p.rebalance = 500+r.IntN(400), 60, 300, 200
		if p.seed%2 == 0 { // or a checkpoint would hardly ever wait for a letter alone
			p.odds[publishes].before = 300
		}
		p.cfg.CheckpointRecords = 2
	case twoEpochs:
		p.owners, p.second, p.redis, p.consumer = 3, 500, 150, true
		p.odds[appends].slow = 300
	case namelessBatches:
		p.owners, p.linger, p.second, p.ambush, p.people = 2, 100+r.IntN(400), 800, 300, 0
		p.odds[inits] = odds{slow: 600}
		p.odds[appends].delayed, p.tardy, s.RetrieveLag = 400, time.Second, 0
		// An auth that shows at once: what does not show yet is voided by the cancel
		// of an orphan.
		s.ItemWithoutRequestID, s.PageWithRequestID, s.AuthVisibleAfter = true, false, 0
	case voidedAuths:
		p.owners, p.linger, p.spite, p.ambush, p.people = max(p.owners, 2), 100+r.IntN(400), false, 300, 0
		p.odds[appends].delayed, p.odds[auths], s.RetrieveLag = 300, odds{}, 0
		s.AuthAnswer, s.AuthVisibleAfter, s.Balance = iyzicotest.AuthAnswerHonest, lag, nil
		s.RepeatedItem = choose(r, iyzicotest.RepeatedItemAccept, iyzicotest.RepeatedItemInvalid)
		p.refuse, p.cfg.RejectCodes = 0, []string{refusedForGood}
		if s.RepeatedItem == iyzicotest.RepeatedItemAccept {
			p.refuse = 400
		}
	case movingPages:
		p.spiteful()
		s.ItemOrder, s.RetrieveLag, s.RetrieveLagMode = iyzicotest.ItemOrderLastChanged, lag, iyzicotest.LagRandom
		p.cfg.PageSize = 1 + r.IntN(2)
	case sleepers:
		p.owners, p.second, p.nap, p.haste, p.people = 3, 400, 150, 60, 0
		s.RetrieveLag = lag
	case meddlers:
		p.people, p.crash, p.second, p.cfg.CheckpointRecords = 1500, 100, 200, 2+r.IntN(8)
	case quiet:
		p.owners, p.spite, p.theme = 1, false, quiet
		p.odds[inits] = odds{before: 150, after: 300}
		s.RetrieveLag, s.DuplicateExternalID = 0, iyzicotest.DuplicateSecond
		p.cfg.Grace = max(p.cfg.Grace, 5*time.Second)
	case themes:
	}
}
