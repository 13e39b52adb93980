package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/internal/seal"
	"github.com/toplu/toplu/worker"
)

type keysCommands struct {
	Create  keysCreateCommand  `cmd:"" help:"Make the keys that are not there, for the months to come."`
	List    keysListCommand    `cmd:"" help:"List the keys, and which open batches need."`
	Destroy keysDestroyCommand `cmd:"" help:"Destroy a key, and so erase what it sealed. There is no way back."`
}

// keyDir is the directory of the keys.
func keyDir(cfg *config.Config) (string, error) {
	if cfg.Seal.KeyDir == "" {
		return "", errors.New("seal.keyDir is not set: nothing is sealed here")
	}
	return cfg.Seal.KeyDir, nil
}

type keysCreateCommand struct {
	jsonFlag
	Months   int      `default:"13" help:"So many months, from this one on. Default: ${default}." placeholder:"N"`
	Merchant []string `help:"Only these. Default: every merchant of the configuration, and _ for requests whose merchant cannot be read." placeholder:"NAME"`
}

// Help says more than the line in the list of commands.
func (*keysCreateCommand) Help() string {
	return `Makes a key for each merchant and month, as a file of mode 600 in seal.keyDir, and the installation's content key; what is there stays as it is, and what was destroyed stays destroyed. Every process needs the same files, and people on call do. Keep a copy where backups of Kafka are not: whoever has both can read both, and a key that is lost is a key that is destroyed.

Run it every few months: in a month without a key nothing is planned. toplu run warns a month ahead.

Example:

  toplu keys create --config toplu.yaml
  toplu keys create --months 3 --merchant market --config toplu.yaml`
}

// keysCreated is what keys create prints.
type keysCreated struct {
	Created []string `json:"created"`
	Kept    int      `json:"kept"`
}

// Run makes keys.
func (c *keysCreateCommand) Run(p *program) error {
	cfg, err := p.config("seal", "merchants")
	if err != nil {
		return err
	}
	dir, err := keyDir(cfg)
	if err != nil {
		return err
	}
	if c.Months < 1 || c.Months > 120 {
		return usageError{"--months: 1 to 120"}
	}
	all := (&service{cfg: cfg}).sealers()
	for _, m := range c.Merchant {
		if _, known := cfg.Merchants[m]; !known && m != seal.NoMerchant {
			return usageError{fmt.Sprintf("%q is not a merchant of the configuration", m)}
		}
	}
	if len(c.Merchant) > 0 {
		all = c.Merchant
	}
	made := keysCreated{Created: []string{}}
	for _, merchant := range all {
		for _, month := range seal.Months(time.Now(), c.Months) {
			id := seal.ID{Merchant: merchant, Month: month}
			created, err := seal.Create(dir, id)
			switch {
			case err != nil:
				return err
			case created:
				made.Created = append(made.Created, id.String())
			default:
				made.Kept++
			}
		}
	}
	if c.JSON {
		return p.printJSON(made)
	}
	for _, id := range made.Created {
		p.say("created %s", id)
	}
	p.say("%d created, %d there before or destroyed, in %s", len(made.Created), made.Kept, dir)
	return nil
}

type keysListCommand struct {
	jsonFlag
	Offline bool `help:"Look at the files alone, and not at which keys open batches need."`
}

// Help says more than the line in the list of commands.
func (*keysListCommand) Help() string {
	return `Lists the keys of seal.keyDir: those that are there, those that were destroyed, by whom and why, and how many open batches need each.

Example:

  toplu keys list --config toplu.yaml
  toplu keys list --offline --config toplu.yaml`
}

// A listedKey is a line of keys list.
type listedKey struct {
	seal.Listed
	OpenBatches *int `json:"openBatches,omitempty"` // none: nobody looked
}

// Run lists keys.
func (c *keysListCommand) Run(ctx context.Context, p *program) error {
	cfg, err := p.config("seal")
	if err != nil {
		return err
	}
	dir, err := keyDir(cfg)
	if err != nil {
		return err
	}
	found, err := seal.List(dir)
	if err != nil {
		return err
	}
	var open map[seal.ID]int
	if !c.Offline {
		if open, err = openByKey(ctx, p); err != nil {
			return err
		}
	}
	all := make([]listedKey, len(found))
	rows := [][]string{{"MERCHANT", "MONTH", "STATE", "OPEN BATCHES", ""}}
	for i := range found {
		all[i].Listed = found[i]
		needed := "-"
		if open != nil {
			n := open[found[i].ID()]
			all[i].OpenBatches, needed = &n, strconv.Itoa(n)
		}
		more := found[i].Text
		if g := found[i].Grave; g != nil {
			more = fmt.Sprintf("%s by %s: %s", stamp(g.At), g.By, g.Reason)
		}
		rows = append(rows, []string{found[i].Merchant, found[i].Month, string(found[i].State), needed, more})
	}
	if c.JSON {
		return p.printJSON(all)
	}
	p.table(rows)
	return nil
}

type keysDestroyCommand struct {
	jsonFlag
	changeFlags
	Key string `arg:"" help:"MERCHANT/MONTH, as in default/2025-11."`
}

// Help says more than the line in the list of commands.
func (*keysDestroyCommand) Help() string {
	return `Erases who was paid by the plans, and what was in the dead letters, of a merchant and month. THIS CANNOT BE UNDONE. Payout ids, amounts, statuses and their sums stay, and no payout id can be used again. What remains, and what is not reached from here, is in docs/security.md: copies of the key elsewhere, payout.requests, payout.statuses, iyzico.

It is refused while an open batch needs the key (cancel it first, or let it end), when the logs cannot be asked, and for a month that is not over for a day. Processes that have read the key forget it within 10 s. Every copy of the directory must be treated the same.

Example:

  toplu keys destroy default/2025-11 --by Deniz --reason "retention is over" --config toplu.yaml`
}

// Run destroys a key.
func (c *keysDestroyCommand) Run(ctx context.Context, p *program) error {
	if c.Reason == "" {
		return usageError{"--reason is needed: it is all that will be known of the key"}
	}
	cfg, err := p.config("seal")
	if err != nil {
		return err
	}
	dir, err := keyDir(cfg)
	if err != nil {
		return err
	}
	key, err := seal.Find(dir, c.Key)
	if err != nil {
		return err
	}
	if key.State == seal.Destroyed {
		return fmt.Errorf("%s is destroyed already, %s by %s", c.Key, stamp(key.At), key.By)
	}
	// Clocks differ, and a plan may be on its way: a day after its month nobody
	// seals with it any more.
	if key.Month >= seal.MonthOf(time.Now().AddDate(0, 0, -1)) {
		return fmt.Errorf("%s is in use, or will be: a key can be destroyed from the second day after its month on", c.Key)
	}
	open, err := openByKey(ctx, p)
	if err != nil {
		return err
	}
	if n := open[key.ID()]; n > 0 {
		return fmt.Errorf("%d open batches need %s: let them end, or cancel them; toplu batch list --merchant %s", n, c.Key, key.Merchant)
	}
	if c.DryRun {
		p.say("would destroy %s: no open batch needs it", c.Key)
		return nil
	}
	if ok, err := c.confirmed(ctx, p, "What was sealed with %s will be erased for ever. Go on?", c.Key); !ok {
		return err
	}
	grave := seal.Grave{At: time.Now().UTC(), By: c.by(p), Reason: c.Reason}
	if err := seal.Destroy(dir, key.ID(), grave); err != nil {
		return fmt.Errorf("%s is not fully destroyed: %w\nGive the command again, or remove the file by hand", c.Key, err)
	}
	if c.JSON {
		return p.printJSON(seal.Listed{Merchant: key.Merchant, Month: key.Month, State: seal.Destroyed, Grave: &grave})
	}
	p.say("%s is destroyed here. Destroy it in every other place where it is kept.", c.Key)
	return nil
}

// openByKey counts the batches that are not answered, by the key they are sealed
// with. It fails if a shard cannot be read: who cannot see must not destroy.
func openByKey(ctx context.Context, p *program) (map[seal.ID]int, error) {
	s, d, err := p.desk(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return countOpen(ctx, d)
}

func countOpen(ctx context.Context, d *oncall.Desk) (map[seal.ID]int, error) {
	views, troubles, err := d.Look(ctx)
	if err != nil {
		return nil, err
	}
	if len(troubles) > 0 {
		return nil, fmt.Errorf("shard %d cannot be read, and so not which keys it needs: %s", troubles[0].Shard, troubles[0].Text)
	}
	open := map[seal.ID]int{}
	for _, v := range views {
		if v.PlanTrouble != "" {
			return nil, fmt.Errorf("shard %d: %s", v.Shard, v.PlanTrouble)
		}
		for i := range v.Batches {
			if b := &v.Batches[i]; b.Key != "" && b.State != worker.StateAnswered {
				open[seal.ID{Merchant: b.Merchant, Month: b.Key}]++
			}
		}
	}
	return open, nil
}
