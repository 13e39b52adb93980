package simulation_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/worker"
)

// A class of calls shares its odds of trouble.
type class int

const (
	reads class = iota
	appends
	publishes
	letters
	claims
	inits
	auths
	cancels
	asks
	sure // nothing goes wrong here
	classes
)

var classNames = [...]string{"reads", "appends", "publishes", "letters", "claims", "inits", "auths", "cancels", "asks", "sure"}

// odds are of a thousand calls.
type odds struct {
	before  int // lost before it has its effect
	after   int // it has its effect, the answer is lost
	delayed int // given up by its caller, the effect comes later
	slow    int // the effect comes now, the answer later
	twice   int // the effect comes twice
	crash   int // its caller crashes just before or just after its effect
}

// A profile is what a seed has drawn before its run begins.
type profile struct {
	seed   uint64
	shards int
	owners int  // most sessions a shard has at one time
	steps  int  // of the storm
	plans  int  // of a shard
	items  int  // of a plan, at most
	closed bool // Kafka was restored: nothing is paid before a person opens the shards
	haste  int  // of a thousand steps, how many let much time pass
	spite  bool // a cancel waits until it can stop half of a batch only
	theme  theme
	refuse int           // of a thousand inits, how many are refused for good, with no effect
	linger int           // about how many steps a call stays in the network
	ambush int           // of a thousand journal records, how many have a late one of their batch right behind them
	tardy  time.Duration // how long slow answers are under way, at most; 0: until it is their turn
	garble int           // of a thousand inits, how many iyzico takes for another
	nap    int           // of a thousand journal records, how many put their writer to sleep
	odds   [classes]odds

	// Events, of ten thousand steps each.
	freeze, crash, rebalance, second, redis, people, replay, panel int

	settings   iyzicotest.Settings
	faults     iyzicotest.Faults
	seenBefore []string

	// With planners: requests are written, not plans.
	consumer             bool
	commitEvery, maxWait time.Duration
	opens                int // the minute of the day before which nothing is paid
	failures             int // after which the circuit breaker opens
	cfg                  worker.Config
}

// draw draws a profile. Each dial is at zero in half of the profiles, so that
// faults come alone, too.
func draw(seed uint64) *profile {
	r := rand.New(rand.NewPCG(seed, 1))
	dial := func(most int) int {
		if r.IntN(2) == 0 {
			return 0
		}
		return 1 + r.IntN(most)
	}
	p := &profile{
		seed: seed, shards: 1 + r.IntN(2), owners: 1 + r.IntN(3), steps: 150 + r.IntN(450), plans: 2 + r.IntN(3), items: 1 + r.IntN(choose(r, 4, 4, 8)),
		haste: dial(60), linger: 5 + r.IntN(150),
	}
	for c := range p.odds {
		p.odds[c] = odds{dial(80), dial(80), dial(120), dial(200), dial(60), dial(10)}
	}
	p.odds[appends] = odds{dial(80), dial(80), dial(300), dial(200), dial(100), dial(20)}
	p.odds[auths] = odds{dial(300), dial(300), dial(500), dial(300), 0, dial(40)}
	p.odds[cancels] = odds{dial(200), dial(200), dial(400), dial(300), 0, dial(40)}
	p.odds[inits] = odds{dial(200), dial(300), dial(300), dial(300), 0, dial(40)}
	p.odds[sure] = odds{}
	p.freeze, p.crash, p.rebalance, p.second = dial(300), dial(200), dial(150), dial(400)
	p.redis, p.people, p.replay, p.panel = dial(150), dial(150), dial(200), dial(40)

	pick := func(n int) bool { return r.IntN(n) == 0 }
	ms := func(n int) iyzicotest.Duration { return iyzicotest.Duration(time.Duration(n) * time.Millisecond) }
	s := &p.settings
	s.SettleWithin = ms(100 + r.IntN(choose(r, 20_000, 60_000, 600_000)))
	s.DuplicateExternalID = choose(r, iyzicotest.DuplicateReject, iyzicotest.DuplicateReplay, iyzicotest.DuplicateSecond, iyzicotest.DuplicateSecond)
	s.DuplicateOther = choose(r, iyzicotest.DuplicateReject, iyzicotest.DuplicateReplay, iyzicotest.DuplicateSecond)
	s.DuplicateItem = choose(r, iyzicotest.DuplicateItemInvalid, iyzicotest.DuplicateItemAccept, iyzicotest.DuplicateItemReject)
	s.Checksum = choose(r, iyzicotest.ChecksumOff, iyzicotest.ChecksumInvalid)
	s.RetrievePick = choose(r, iyzicotest.RetrieveFirst, iyzicotest.RetrieveLast, iyzicotest.RetrieveAny)
	s.SecondAuth = choose(r, iyzicotest.SecondAuthPaysAgain, iyzicotest.SecondAuthPaysAgain, iyzicotest.SecondAuthSuccess, iyzicotest.SecondAuthFailure)
	s.CancelAfterAuth = choose(r, iyzicotest.CancelAfterAuthFailure, iyzicotest.CancelAfterAuthNoop, iyzicotest.CancelAfterAuthPartial)
	s.CancelUnfunded = choose(r, iyzicotest.CancelUnfundedAccept, iyzicotest.CancelUnfundedRefuse)
	s.ResumeWhenFunded = pick(2) || s.CancelUnfunded == iyzicotest.CancelUnfundedRefuse
	s.RepeatedItem = choose(r, iyzicotest.RepeatedItemAccept, iyzicotest.RepeatedItemAccept, iyzicotest.RepeatedItemInvalid, iyzicotest.RepeatedItemUnlessCancelled)
	s.AllInvalid = choose(r, iyzicotest.AllInvalidAccept, iyzicotest.AllInvalidReject)
	s.BalanceCheck = choose(r, iyzicotest.BalanceCheckWorker, iyzicotest.BalanceCheckWorker, iyzicotest.BalanceCheckAtAuth)
	s.MixedResult = choose(r, iyzicotest.MixedResultCompleted, iyzicotest.MixedResultFail, iyzicotest.MixedResultStay)
	s.Debit = choose(r, iyzicotest.DebitAtQueueing, iyzicotest.DebitOnSuccess)
	s.RetrieveLagMode = choose(r, iyzicotest.LagFixed, iyzicotest.LagRandom, iyzicotest.LagPerItem)
	s.UnknownRequest = choose(r, iyzicotest.UnknownRequestFailure, iyzicotest.UnknownRequestHTTP404)
	s.Refund = choose(r, iyzicotest.RefundByDial, iyzicotest.RefundAlways, iyzicotest.RefundNever)
	s.RefundAfter = ms(100 + r.IntN(60_000))
	s.HTTPFailure, s.HTTPRateLimit, s.HTTPSignature = choose(r, 0, 200, 400, 422), choose(r, 200, 429), choose(r, 200, 401)
	s.MaskRecipients, s.ItemWithoutRequestID, s.PageWithRequestID = pick(3), pick(3), pick(3)
	if pick(3) {
		s.AuthAnswer = iyzicotest.AuthAnswerFailure
	}
	if pick(2) {
		s.AuthVisibleAfter = ms(1 + r.IntN(15_000))
	}
	if pick(2) {
		s.RetrieveLag = ms(1 + r.IntN(12_000))
	}
	if pick(3) {
		s.MaxPageSize = 1 + r.IntN(3)
		s.PageOverflow = iyzicotest.PageOverflowClamp
	}
	if pick(6) {
		s.MaxPageSize, s.PageOverflow = 40, iyzicotest.PageOverflowRefuse // as the smallest page that is documented
	}
	if pick(5) {
		s.CommissionBasisPoints = int64(r.IntN(1000))
	}
	if pick(6) {
		s.MaxItems = p.items + 1
	}
	if pick(3) {
		money := iyzicotest.Money(r.IntN(30_000))
		s.Balance = &money
	}

	chance := func(most int) iyzicotest.Probability { return iyzicotest.Probability(dial(most)) * 1000 }
	p.faults = iyzicotest.Faults{
		ServerError: chance(60), RateLimit: chance(60), NotJSON: chance(40), Redirect: chance(20), Truncated: chance(60),
		InvalidItems: chance(200), FailItems: chance(300), DepositSuccess: chance(500), DepositFail: chance(300), LowBalance: chance(300),
	}
	if pick(2) {
		p.seenBefore = []string{duplicateCode, "SIM1012"}
	}
	p.consumer = pick(2)
	if pick(4) {
		p.spiteful()
	}
	if pick(4) {
		s.ItemOrder = iyzicotest.ItemOrderLastChanged
	}
	p.commitEvery, p.maxWait = time.Duration(1+r.IntN(2000))*time.Millisecond, time.Duration(r.IntN(3000))*time.Millisecond
	p.cfg = worker.Config{
		Partitions: p.shards, Steady: true, Grace: time.Duration(2000+r.IntN(8000)) * time.Millisecond,
		PageSize: choose(r, 1, 2, 1000), ReportInterval: time.Duration(200+r.IntN(2000)) * time.Millisecond, ReportMaxInterval: time.Minute,
		ReportGiveUp: 30 * time.Minute, MaxOpen: 1 + r.IntN(4), SkipBalance: pick(3), SkipAmounts: pick(4),
		StopTimeout: time.Duration(1000+r.IntN(4000)) * time.Millisecond, CheckpointRecords: choose(r, 2, 5, 12, 30, 2000),
	}
	if pick(2) {
		p.cfg.RejectCodes = []string{"SIM1009", duplicateCode, refusedForGood}
	}
	if pick(3) { // payouts are of 100 to some 10,200 minor units
		p.cfg.Merchants = map[string]worker.Terms{"default": {MaxPayout: int64(4000 + r.IntN(6000)), MaxBatch: int64(6000 + r.IntN(20_000))}}
	}
	if pick(3) {
		p.opens = 1 + r.IntN(8)
	}
	p.refuse = dial(100)
	if !p.cfg.SkipAmounts {
		p.garble = dial(40)
	}
	p.closed = pick(6)
	p.theme = theme(r.IntN(2 * int(themes))) // in half of the worlds none
	p.dress(r)
	if pick(2) {
		p.failures = 1 + r.IntN(4)
	}
	p.limit(rand.New(rand.NewPCG(seed, 4)))
	return p
}

// spiteful has a cancel stop only those items that are not yet at the bank.
func (p *profile) spiteful() {
	s := &p.settings
	p.spite, p.items = true, max(p.items, 3)
	p.odds[auths] = odds{delayed: 600}
	s.CancelAfterAuth, s.CancelUnfunded, s.ResumeWhenFunded = iyzicotest.CancelAfterAuthPartial, iyzicotest.CancelUnfundedAccept, true
}

// limit has iyzico count calls by the minute, and forget what nobody authorises
// in time.
func (p *profile) limit(r *rand.Rand) {
	s := &p.settings
	if r.IntN(4) == 0 {
		s.RateLimits = map[iyzicotest.Op]int{}
		for _, op := range []iyzicotest.Op{iyzicotest.OpInit, iyzicotest.OpAuth, iyzicotest.OpCancel, iyzicotest.OpRetrieve, iyzicotest.OpItem, iyzicotest.OpBalance} {
			if r.IntN(2) == 0 {
				s.RateLimits[op] = 1 + r.IntN(12)
			}
		}
	}
	if r.IntN(6) == 0 {
		s.RequestTTL = iyzicotest.Duration(p.cfg.Grace) + iyzicotest.Duration(r.Int64N(int64(10*time.Minute)))
	}
}

func choose[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func (p *profile) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "theme %d, refuse %d, garble %d, closed %v, ", p.theme, p.refuse, p.garble, p.closed)
	fmt.Fprintf(&text, "seed %d: %d shards, %d owners, %d plans of up to %d items, %d steps, planners %v\n", p.seed, p.shards, p.owners, p.plans, p.items, p.steps, p.consumer)
	for c, o := range p.odds {
		fmt.Fprintf(&text, "  %-9s %+v\n", classNames[c], o)
	}
	fmt.Fprintf(&text, "  freeze %d, crash %d, rebalance %d, second %d, redis %d, people %d, replay %d, panel %d, haste %d, linger %d, ambush %d, nap %d, spite %v, opens %d, breaker %d\n",
		p.freeze, p.crash, p.rebalance, p.second, p.redis, p.people, p.replay, p.panel, p.haste, p.linger, p.ambush, p.nap, p.spite, p.opens, p.failures)
	s := p.settings
	s.Fate = nil
	balance := "without end"
	if s.Balance != nil {
		balance = s.Balance.String()
	}
	fmt.Fprintf(&text, "  provider %+v\n  balance %s\n  dials %+v\n  config %+v\n", s, balance, p.faults, p.cfg)
	return text.String()
}

// iyzicoAfterTheStorm are the dials when faults have ended: lines are still
// refused and payments still fail, for that is no fault.
func iyzicoAfterTheStorm(f iyzicotest.Faults) iyzicotest.Faults {
	return iyzicotest.Faults{InvalidItems: f.InvalidItems, FailItems: f.FailItems, DepositSuccess: f.DepositSuccess, DepositFail: f.DepositFail}
}
