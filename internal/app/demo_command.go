package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/demo"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

type demoCommand struct {
	jsonFlag
	Payouts int           `default:"500" help:"Requests to write, of every kind: valid, invalid, failing at the bank, coming back, repeated. Default: ${default}." placeholder:"N"`
	Log     bool          `help:"Show the service's log on standard error."`
	Settle  time.Duration `default:"800ms" help:"How long the simulated iyzico takes over a batch. Default: ${default}." placeholder:"DURATION"`
}

// Help says more than the line in the list of commands.
func (*demoCommand) Help() string {
	return `Runs the whole service in this process, with nothing to install: Kafka, Redis and iyzico are simulated, the rest is the real thing. A shop writes requests of every kind, the service pays them, a ledger books the statuses, and at the end the ledger is compared with iyzico's books. Exit status 0 only if they balance to the kuruş.

Example:

  toplu demo
  toplu demo --payouts 20000 --json`
}

// Run runs the demo.
func (c *demoCommand) Run(ctx context.Context, p *program) error {
	if c.Payouts < 1 || c.Payouts > 1_000_000 {
		return usageError{fmt.Sprintf("--payouts %d: allowed: 1 to 1000000", c.Payouts)}
	}
	parts, err := demo.Start(ctx, c.Settle)
	if err != nil {
		return err
	}
	defer parts.Close()
	d, err := newDemo(ctx, p, parts, c.Log)
	if err != nil {
		return err
	}
	defer d.client.Close()
	began := time.Now()
	orders := demo.Orders(c.Payouts, began)
	if !c.JSON {
		p.say("A shop writes %d payout requests; Kafka, Redis and iyzico are simulated, the service between them is real.", len(orders))
	}
	err = d.play(ctx, orders, time.Minute+time.Duration(c.Payouts)*10*time.Millisecond, !c.JSON && isTerminal(p.stdout))
	if err != nil {
		return err
	}
	return c.report(p, parts.Judge(orders, d.ledger), time.Since(began))
}

// report prints the verdict; one that does not balance is an error.
func (c *demoCommand) report(p *program, r demo.Result, took time.Duration) error {
	if c.JSON {
		if err := p.printJSON(r); err != nil {
			return err
		}
	} else {
		p.say("requested   %6d  in %d batches, %d calls to iyzico, %.1f s", r.Requested, r.Batches, r.Calls, took.Seconds())
		p.say("paid        %6d  %s TRY in the ledger, %s TRY in iyzico's books", r.Paid, r.PaidAmount, r.BooksTotal)
		p.say("failed      %6d  at the bank", r.Failed)
		p.say("returned    %6d  failed at the bank, the money came back", r.Returned)
		p.say("rejected    %6d  by iyzico, no money moved", r.Rejected)
		p.say("refused     %6d  invalid requests, in the dead-letter topic with the reason", r.Refused)
		p.say("duplicates  %6d  asked for again, paid once", r.Duplicates)
		p.say("conflicts   %6d  a used id with other content, in the dead-letter topic", r.Conflicts)
		p.say("paid twice  %6d", r.PaidTwice)
		p.say("unanswered  %6d", r.Unanswered)
		for _, w := range r.Wrong {
			p.say("WRONG: %s", w)
		}
		if r.Balanced {
			p.say("The books balance.")
		}
	}
	if !r.Balanced {
		return errors.New("the books do not balance")
	}
	return nil
}

// A demoRun is the service between its surroundings.
type demoRun struct {
	program *program
	cfg     *config.Config
	client  *kafkaio.Client
	ledger  *demo.Ledger
	log     zerolog.Logger
}

func newDemo(ctx context.Context, p *program, parts *demo.Parts, logging bool) (*demoRun, error) {
	env := parts.Env()
	cfg, err := config.Load("", func(name string) string { return env[name] })
	if err != nil {
		return nil, err
	}
	client, err := dialKafka(cfg.Kafka, zerolog.Nop(), allTopics(cfg.Topics())...)
	if err != nil {
		return nil, err
	}
	d := &demoRun{program: p, cfg: cfg, client: client, ledger: demo.NewLedger(), log: zerolog.Nop()}
	if logging {
		if d.log, err = newLogger(cfg.Log, p.stderr); err != nil {
			client.Close()
			return nil, err
		}
	}
	if _, err := new(topicsCreateCommand).create(ctx, cfg, client, map[string]kafkaio.Topic{}); err != nil {
		client.Close()
		return nil, err
	}
	return d, nil
}

// play has the service pay the orders until every one is answered.
func (d *demoRun) play(ctx context.Context, orders []demo.Order, limit time.Duration, live bool) error {
	s, err := newService(d.cfg, Roles{Consumer: true, Worker: true}, d.log)
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- s.Run(run) }()
	read := make(chan error, 2)
	t := d.cfg.Topics()
	go func() { read <- d.follow(run, t.Statuses, d.ledger.Book) }()
	go func() {
		read <- d.follow(run, t.DLQ, func(m schema.Message) error { d.ledger.Bury(m); return nil })
	}()
	err = d.write(run, t.Requests, orders)
	if err == nil {
		err = d.watch(run, orders, limit, live, served)
	}
	stop()
	return errors.Join(err, <-served, <-read, <-read)
}

// write writes the orders as a shop does, some hundred at a time.
func (d *demoRun) write(ctx context.Context, topic string, orders []demo.Order) error {
	for len(orders) > 0 {
		n := min(500, len(orders))
		messages := make([]schema.Message, n)
		for i, o := range orders[:n] {
			messages[i] = o.Message
		}
		if err := d.client.Publish(ctx, topic, kafkaio.Messages(messages...)); err != nil {
			return err
		}
		orders = orders[n:]
	}
	return nil
}

// watch waits until every order is answered, and a little longer, for what must
// not come.
func (d *demoRun) watch(ctx context.Context, orders []demo.Order, limit time.Duration, live bool, served chan error) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(limit)
	defer end.Stop()
	for {
		if live {
			d.show()
		}
		if d.ledger.Answered(orders) {
			if live {
				d.program.say("")
			}
			return nil
		}
		select {
		case <-tick.C:
		case <-end.C:
			return nil // the judge says what is missing
		case err := <-served:
			served <- nil
			return errors.Join(errors.New("the service ended by itself"), err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// show rewrites one line with how many payouts are where.
func (d *demoRun) show() {
	n, refused := d.ledger.Counts()
	_, _ = fmt.Fprintf(d.program.stdout, "\r\x1b[Kaccepted %d  submitted %d  paid %d  failed %d  returned %d  rejected %d  refused %d",
		n[schema.Accepted], n[schema.Submitted], n[schema.Paid], n[schema.Failed], n[schema.Returned], n[schema.Rejected], refused)
}

// follow reads every partition of a topic from its beginning until ctx ends.
func (d *demoRun) follow(ctx context.Context, topic string, book func(schema.Message) error) error {
	n, err := d.client.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	errs := make(chan error, n)
	for partition := range n {
		go func() {
			r := d.client.NewReader(topic, partition, 0, kafkaio.ReaderOptions{})
			for ctx.Err() == nil {
				batch, err := r.Next(ctx)
				if err != nil && ctx.Err() == nil {
					errs <- err
					return
				}
				for _, rec := range batch.Records {
					if err := book(rec.Message()); err != nil {
						errs <- err
						return
					}
				}
			}
			errs <- nil
		}()
	}
	for range n {
		err = errors.Join(err, <-errs)
	}
	return err
}
