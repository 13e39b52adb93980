package simulation_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/iyzico/iyzicotest"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker"
	"github.com/toplu/toplu/worker/throttle"
	"github.com/toplu/toplu/worker/workertest"
)

// A world is one run: what is durable, who is alive, and what is in the network.
type world struct {
	p     *profile
	rnd   *rand.Rand // drawn from by the scheduler alone
	gate  *gate
	trace *trace
	began time.Time
	calm  bool

	claims   *workertest.Claims
	provider *iyzicotest.Provider
	statuses topic
	letters  topic
	shards   []*shard

	requests  [][]schema.Message // by partition
	committed []int64
	sessions  []*session
	network   []*call // whose callers have given up
	wrote     *call   // the journal record that has just come into the log
	loose     bool    // an init may have come twice, and nobody could help it
	steps     int

	finals map[string]bool // payouts with a final status
	heard  int             // statuses that were looked at for it
}

// A shard is its two logs, and who drives it.
type shard struct {
	n              int
	plans, journal *workertest.Log
	commands       *workertest.Log
	snapshots      []func() // of its claims
	made           []*schema.Plan
	ids            []string
	unplanned      []string
	person         person
}

// A session is one run of worker.Shard.
type session struct {
	n        int
	of       *shard
	ids      int
	dead     bool // guarded by the gate: its calls have no effect
	stopping bool
	frozen   time.Time // until then its calls are not served
	cancel   context.CancelFunc
	done     chan struct{}
	err      error // read after done
	// By requestId: whose completing it has read, and the step in which it read the
	// fencing. Guarded by the gate.
	completing map[string]bool
	fenced     map[string]int
}

const apiKey = "key"

func newWorld(p *profile, verbose bool) *world {
	w := &world{
		p: p, rnd: rand.New(rand.NewPCG(p.seed, 2)), gate: &gate{rung: make(chan struct{}, 1)},
		began: time.Now(), claims: workertest.NewClaims(), trace: newTrace(verbose), finals: map[string]bool{},
	}
	w.trace.began = w.began
	var err error
	w.provider, err = iyzicotest.NewProvider(p.settings, time.Now, rand.New(rand.NewPCG(p.seed, 3)))
	if err != nil {
		panic(err)
	}
	w.provider.SetFaults(p.faults)
	for n := range p.shards {
		sh := &shard{n: n, plans: &workertest.Log{Wait: 1}, journal: &workertest.Log{Wait: 1}, commands: &workertest.Log{Wait: 1}}
		for i := 0; len(sh.ids) < p.plans*p.items; i++ {
			if id := "p" + strconv.Itoa(i); schema.Shard(id, p.shards) == n {
				sh.ids = append(sh.ids, id)
			}
		}
		sh.unplanned = sh.ids
		sh.person.w, sh.person.sh = w, sh
		w.shards = append(w.shards, sh)
	}
	if p.consumer {
		w.requests, w.committed = make([][]schema.Message, p.shards), make([]int64, p.shards)
	}
	return w
}

// one is true one time of n.
func (w *world) one(n int) bool { return w.rnd.IntN(n) == 0 }

// of is true n times of most.
func (w *world) of(n, most int) bool { return n > 0 && w.rnd.IntN(most) < n }

// plan writes a plan of payouts that no plan has yet, or of some that others
// have, now and then with other content, now and then a copy.
func (w *world) plan(sh *shard) {
	if w.p.consumer {
		w.request(sh)
		return
	}
	if !w.planned(sh) {
		return
	}
	p := &schema.Plan{Merchant: "default", Purpose: "SETTLEMENT", Currency: schema.TRY, At: time.Now().UTC()}
	if w.p.opens > 0 {
		p.NotBefore, _ = w.cutOff().At(p.At)
	}
	n := 1 + w.rnd.IntN(w.p.items)
	other := false
	var ids []string
	if len(sh.made) < w.p.plans && len(sh.unplanned) > 0 {
		n = min(n, len(sh.unplanned))
		ids, sh.unplanned = sh.unplanned[:n], sh.unplanned[n:]
		if len(sh.made) > 0 && w.one(4) {
			ids = append(ids[:n:n], sh.ids[0])
		}
	} else {
		if w.one(4) && len(sh.made) > 0 {
			w.writePlan(sh, sh.made[w.rnd.IntN(len(sh.made))])
			return
		}
		planned := len(sh.ids) - len(sh.unplanned)
		for _, i := range w.rnd.Perm(planned)[:min(n, planned)] {
			ids = append(ids, sh.ids[i])
		}
		other = w.one(2)
	}
	for i, id := range ids {
		minor := minorOf(id)
		if other && w.one(2) {
			minor++
		}
		p.Items = append(p.Items, schema.PlanItem{
			PayoutID: id, Recipient: schema.Recipient{Type: schema.IBAN, Value: "TR330006100519786457841326", Name: "A B"},
			Minor: minor, EventID: fmt.Sprintf("e%d-%d", len(sh.made), i), Source: schema.Source{Topic: "payout.requests", Partition: sh.n, Offset: int64(100*len(sh.made) + i)},
		})
	}
	if len(p.Items) == 0 {
		return
	}
	p.ID = schema.PlanID(p)
	sh.made = append(sh.made, p)
	w.writePlan(sh, p)
	if w.of(w.p.odds[appends].twice, 1000) {
		w.writePlan(sh, p)
	}
}

// planned makes sure that the plan log begins with its genesis.
func (w *world) planned(sh *shard) bool {
	newID := func() string { return "log-" + strconv.Itoa(sh.n) }
	evidence := func(context.Context) (closed string, err error) {
		if w.p.closed {
			closed = "Kafka was restored"
		}
		return closed, nil
	}
	_, err := worker.EnsurePlanGenesis(context.Background(), sh.plans, w.p.shards, newID, time.Now, evidence)
	if err != nil {
		w.trace.violate("the plan log has no genesis: %v", err)
	}
	return err == nil
}

func (w *world) writePlan(sh *shard, p *schema.Plan) {
	value, err := schema.EncodePlan(p)
	if err != nil {
		panic(err)
	}
	at, _ := sh.plans.Append(context.Background(), schema.Message{Key: []byte(p.ID), Value: value})
	w.trace.add("planner", fmt.Sprintf("shard %d: plan %s at %d", sh.n, p.ID, at[0]), "", value)
}

// start begins a session on a shard.
func (w *world) start(sh *shard) {
	w.loose = w.loose || len(w.owners(sh)) > 0
	s := &session{n: len(w.sessions), of: sh, done: make(chan struct{}), completing: map[string]bool{}, fenced: map[string]int{}}
	w.sessions = append(w.sessions, s)
	log := zerolog.Nop()
	if w.trace.verbose {
		log = zerolog.New(w.trace.writer(s))
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	guard := throttle.New(simProvider{w, s, apiKey}, throttle.Config{Merchant: "default", Failures: w.p.failures, Pause: 5 * time.Second, Log: log})
	t := func(name string, to *topic) simTopic { return simTopic{w, s, to, name, publishes} }
	driver := worker.NewShard(sh.n, w.p.cfg, worker.Ports{
		Plans: simLog{w, s, sh.plans, "plans"}, Journal: simLog{w, s, sh.journal, "journal"}, Commands: simLog{w, s, sh.commands, "commands"}, Claims: simClaims{w, s, w.claims},
		Statuses: t("statuses", &w.statuses), DeadLetters: t("letters", &w.letters).as(letters), Originals: t("original", nil),
		Merchant: func(name string) (worker.Provider, bool) { return guard, name == "default" },
		Standing: func(string) worker.Standing { return guard.Standing() },
		Now:      time.Now,
		NewID: func() string {
			s.ids++
			return fmt.Sprintf("s%d.%d", s.n, s.ids)
		},
		Log: log,
	})
	w.trace.add(s.name(), fmt.Sprintf("starts on shard %d", sh.n), "", nil)
	go func() {
		s.err = driver.Run(ctx)
		close(s.done)
	}()
	synctest.Wait()
}

func (s *session) name() string { return "s" + strconv.Itoa(s.n) }

// ended reports whether the session's Run has returned.
func (s *session) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// owners are the sessions of a shard that are alive.
func (w *world) owners(sh *shard) []*session {
	var alive []*session
	for _, s := range w.sessions {
		if s.of == sh && !s.dead && !s.ended() {
			alive = append(alive, s)
		}
	}
	return alive
}

// healthy are the owners that nobody has asked to stop.
func (w *world) healthy(sh *shard) []*session {
	var fit []*session
	for _, s := range w.owners(sh) {
		if !s.stopping {
			fit = append(fit, s)
		}
	}
	return fit
}

// crash ends a session where it stands. What it has sent may still arrive.
func (w *world) crash(s *session) {
	synctest.Wait()
	w.trace.add(s.name(), "crashes", "", nil)
	w.gate.kill(s)
	for _, c := range w.gate.waiting() {
		if c.s != s {
			continue
		}
		if c.late && !c.done && w.one(2) {
			w.adrift(c)
		}
		w.gate.answer(c, errLost)
	}
	s.cancel()
	synctest.Wait()
}
