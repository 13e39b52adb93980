//go:build integration

package e2e_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"

	"github.com/toplu/toplu/internal/realparts"
)

var (
	stormSeed    = flag.Uint64("storm.seed", 1, "seed of the first storm")
	stormCount   = flag.Int("storm.count", 2, "how many storms there are, each with the next seed")
	stormMinutes = flag.Int("storm.minutes", 0, "how long a storm lasts, in minutes; 0: 20 seconds")
)

// TestStorm lets everything go wrong at once, heals it, and judges. A seed
// decides what goes wrong and in which order; when exactly is up to the
// machine, so a seed repeats the storm and not each race in it.
func TestStorm(t *testing.T) {
	lasts := max(20*time.Second, time.Duration(*stormMinutes)*time.Minute)
	for seed := *stormSeed; seed < *stormSeed+uint64(*stormCount); seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("again: go test -tags integration -run TestStorm -timeout 0 -v ./internal/e2e -storm.seed %d -storm.count 1 -storm.minutes %d", seed, *stormMinutes)
				}
			})
			newStorm(t, seed).rage(lasts)
		})
	}
}

// A storm is a world in which a seed decides what goes wrong.
type storm struct {
	*world
	chance *rand.Rand
	ledger *ledger
	later  []remedy // what ends by itself, in no order
	names  int
	old    string // a copy of Redis's file, "" as long as there is none
	did    []string

	asked, obeyed int // commands of people, and how many were answered with yes
}

// A remedy ends a misfortune.
type remedy struct {
	at time.Time
	do func()
}

// worst are settings of the simulator where iyzico's documentation is silent. A
// storm takes one of each line.
var worst = [][]string{
	{"duplicateExternalId=reject", "duplicateExternalId=replay", "duplicateExternalId=second"},
	{"secondAuth=success", "secondAuth=failure", "secondAuth=pays-again"},
	{"cancelAfterAuth=failure", "cancelAfterAuth=noop", "cancelAfterAuth=partial"},
	{"retrievePick=first", "retrievePick=last", "retrievePick=any"},
	{"retrieveLag=0s", "retrieveLag=300ms"},
	{"authVisibleAfter=0s", "authVisibleAfter=500ms"},
	{"itemWithoutRequestId=false", "itemWithoutRequestId=true"},
	{"mixedResult=completed", "mixedResult=fail", "mixedResult=stay"},
	{"unknownRequest=failure", "unknownRequest=http404"},
	{"authAnswer=honest", "authAnswer=honest", "authAnswer=failure"},
}

func newStorm(t *testing.T, seed uint64) *storm {
	t.Helper()
	chance := rand.New(rand.NewPCG(seed, 0))
	var flags []string
	for _, choice := range worst {
		flags = append(flags, "--setting", choice[chance.IntN(len(choice))])
	}
	t.Logf("seed %d, simulator %s", seed, strings.ReplaceAll(strings.Join(flags, " "), "--setting ", ""))
	s := &storm{world: newWorld(t, realparts.Kafka42, append(flags, "--seed", strconv.FormatUint(seed, 10))...), chance: chance}
	s.maxWait = []string{"10ms", "100ms", "1s"}[chance.IntN(3)]
	s.configure()
	s.ledger = s.follow()
	return s
}

// rage has misfortune upon misfortune for a while.
func (s *storm) rage(lasts time.Duration) {
	s.t.Helper()
	s.newRun()
	s.newRun()
	stop := s.load(10, rand.New(rand.NewPCG(s.chance.Uint64(), 1)))
	misfortunes := []struct {
		name string
		do   func()
	}{
		{"answers lost", s.loseAnswers},
		{"answers lost otherwise", s.loseAnswers},
		{"kill -9 of a worker", s.killRun},
		{"kill -9 of a worker, again", s.killRun},
		{"a worker frozen", s.freeze},
		{"rolling restart", s.deploy},
		{"Redis wiped", func() { s.redisDo("FLUSHALL") }},
		{"a key of Redis deleted", s.loseKey},
		{"Redis killed and restarted", func() { s.must(s.redis.Kill()); s.must(s.redis.Restart(s.t.Context())) }},
		{"Redis restarted without its file", func() { s.restoreRedis("") }},
		{"a copy made of Redis's file", func() { s.old = s.copyRedis() }},
		{"an old Redis restored", func() { s.restoreRedis(s.old) }},
		{"the broker killed and restarted", func() { s.must(s.kafka.Kill()); s.must(s.kafka.Restart(s.t.Context())) }},
		{"the broker frozen", func() {
			s.must(s.kafka.Pause())
			pause(s.t, s.between(time.Second, 4*time.Second))
			s.must(s.kafka.Resume())
		}},
		{"all workers killed, offsets deleted", func() { s.restartAll(s.deleteOffsets) }},
		{"all workers killed, offsets set to 0", func() { s.restartAll(s.rewind) }},
		{"the way to Kafka cut", func() { s.cutFor(s.kafkaWay) }},
		{"the way to Kafka slow", func() { s.slow(s.kafkaWay) }},
		{"people at work", s.meddle},
		{"people at work, again", s.meddle},
		{"the way to Redis cut", func() { s.cutFor(s.redisWay) }},
		{"the way to iyzico cut", func() { s.cutFor(s.iyzicoWay) }},
		{"the way to Redis slow", func() { s.slow(s.redisWay) }},
		{"the way to iyzico slow", func() { s.slow(s.iyzicoWay) }},
	}
	end := time.Now().Add(lasts)
	var order []int // each once before any comes again
	for time.Now().Before(end) {
		if len(order) == 0 {
			order = s.chance.Perm(len(misfortunes))
		}
		m := misfortunes[order[0]]
		order = order[1:]
		s.did = append(s.did, m.name)
		m.do()
		s.remedy(time.Now())
		pause(s.t, s.between(200*time.Millisecond, 1500*time.Millisecond))
		s.remedy(time.Now())
	}
	s.heal()
	stop()
	healed := time.Now()
	s.judge(s.ledger, 90*time.Second)
	s.t.Logf("%d of %d commands of people answered with yes", s.obeyed, s.asked)
	s.t.Logf("%d misfortunes: %s; all answered %.1f s after it was over", len(s.did), strings.Join(s.did, ", "), time.Since(healed).Seconds())
	s.stopAll()
}

// heal ends everything that is wrong.
func (s *storm) heal() {
	s.remedy(time.Now().Add(time.Hour))
	s.faults(`{}`)
	for len(s.up()) < 2 {
		s.newRun()
	}
	s.lift()
}

// remedy ends what is due.
func (s *storm) remedy(now time.Time) {
	for i := 0; i < len(s.later); i++ {
		if r := s.later[i]; !r.at.After(now) {
			s.later = slices.Delete(s.later, i, i+1)
			i--
			r.do()
		}
	}
}

func (s *storm) after(d time.Duration, do func()) {
	s.later = append(s.later, remedy{time.Now().Add(d), do})
}

func (s *storm) between(from, to time.Duration) time.Duration {
	return from + time.Duration(s.chance.Int64N(int64(to-from)))
}

// newRun starts a worker and does not wait for it: in a storm it may have to.
func (s *storm) newRun() {
	s.names++
	s.launch(fmt.Sprintf("run-%d", s.names))
}

// anyRun returns a worker that is up, nil if there is none.
func (s *storm) anyRun() *process {
	up := s.up()
	if len(up) == 0 {
		return nil
	}
	return up[s.chance.IntN(len(up))]
}

func (s *storm) killRun() {
	if p := s.anyRun(); p != nil {
		p.kill()
	}
	s.after(s.between(0, 3*time.Second), s.newRun)
}

// freeze stops a worker for longer than its session of 6 s, with another in its
// place meanwhile.
func (s *storm) freeze() {
	p := s.anyRun()
	if p == nil {
		return
	}
	p.signal(syscall.SIGSTOP)
	s.newRun()
	s.after(s.between(7*time.Second, 12*time.Second), func() {
		p.signal(syscall.SIGCONT)
		s.after(s.between(time.Second, 5*time.Second), p.kill)
	})
}

func (s *storm) deploy() {
	for _, p := range s.up() {
		p.signal(syscall.SIGTERM)
		s.newRun()
		select {
		case <-p.done:
		case <-time.After(3 * time.Second): // a frozen one hears nothing
		}
	}
}

// restartAll kills all workers, does something that no worker may see, and
// starts two.
func (s *storm) restartAll(do func()) {
	for _, p := range s.up() {
		p.kill()
	}
	do()
	s.newRun()
	s.newRun()
}

func (s *storm) loseAnswers() {
	dials := []string{
		lostAnswers,
		`{"authLostAfter":0.5,"retrieveLost":0.3,"itemLost":0.3,"balanceLost":0.3,"delayMs":100}`,
		`{"authDelayed":0.4,"delayedAuthMs":2500,"cancelDelayed":0.3,"delayedCancelMs":1500,"initDelayed":0.2}`,
		`{"serverError":0.2,"notJson":0.1,"truncated":0.1,"redirect":0.1,"rateLimit":0.1}`,
		`{"invalidItems":0.05,"failItems":0.1,"depositSuccess":0.5,"depositFail":0.2,"settleDelayMs":800}`,
		`{}`,
	}
	s.faults(dials[s.chance.IntN(len(dials))])
}

// loseKey deletes any key of Redis, as an eviction would.
func (s *storm) loseKey() {
	if key, ok := s.redisDo("RANDOMKEY").(string); ok {
		s.redisDo("DEL", key)
	}
}

// cutFor cuts a way for a while.
func (s *storm) cutFor(p *toxiproxy.Proxy) {
	s.cut(p)
	s.after(s.between(500*time.Millisecond, 5*time.Second), func() { s.mend(p) })
}

// slow has a way delay, and now and then reset, what goes over it.
func (s *storm) slow(p *toxiproxy.Proxy) {
	toxics := []string{
		`{"name":"slow","type":"latency","stream":"downstream","attributes":{"latency":400,"jitter":300}}`,
		`{"name":"slow","type":"latency","stream":"upstream","attributes":{"latency":1500,"jitter":1500}}`,
		`{"name":"slow","type":"reset_peer","stream":"downstream","attributes":{"timeout":200}}`,
		`{"name":"slow","type":"timeout","stream":"downstream","attributes":{"timeout":2000}}`,
	}
	if p.Toxics.GetToxic("slow") != nil {
		return
	}
	_, err := p.Toxics.AddToxicJson(strings.NewReader(toxics[s.chance.IntN(len(toxics))]))
	s.must(err)
	s.after(s.between(500*time.Millisecond, 4*time.Second), func() { s.must(p.Toxics.RemoveToxic(s.t.Context(), "slow")) })
}
