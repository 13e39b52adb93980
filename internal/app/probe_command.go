package app

import (
	"context"
	"fmt"
	"time"

	"github.com/toplu/toplu/internal/probe"
	"github.com/toplu/toplu/iyzico"
)

type probeCommand struct {
	jsonFlag
	Merchant      string        `default:"default" help:"Merchant of the configuration whose sandbox account is used. Default: ${default}." placeholder:"NAME"`
	RecipientType string        `default:"IBAN" enum:"IBAN,MEMBER_ID,IDENTITY_NUMBER,PHONE" help:"Type of the recipient. Default: ${default}." placeholder:"TYPE"`
	Recipient     string        `default:"TR470000100100000350930001" help:"Who the payouts are for. Default: an IBAN from the banks' own examples." placeholder:"VALUE"`
	Name          string        `default:"Toplu Deneme" help:"The recipient's name. Default: ${default}." placeholder:"TEXT"`
	Wait          time.Duration `default:"1m" help:"How long a batch may take to settle. Default: ${default}." placeholder:"DURATION"`
}

// Help says more than the line in the list of commands.
func (*probeCommand) Help() string {
	return `Finds out in iyzico's sandbox what iyzico's pages leave open: an externalId twice, auth twice, cancel then auth, auth then cancel, the requestId in the single item, masks, the size of pages, ids of payouts again. For each question it prints what iyzico did, which setting of the simulator does the same, and what to set in the configuration.

It makes about fifteen batches of payouts of 1.00, authorises three of them and cancels the others. It runs only with keys and host of the sandbox (or against a simulator on this machine), and refuses all else. Nothing else should use the account meanwhile. Exit status 1 if a question stayed open.

Example:

  toplu probe --config sandbox.yaml`
}

// A probeReport is what the probe prints.
type probeReport struct {
	Host     string          `json:"host"`
	Findings []probe.Finding `json:"findings"`
}

// Run probes.
func (c *probeCommand) Run(ctx context.Context, p *program) error {
	cfg, err := p.config("iyzico", "merchants")
	if err != nil {
		return err
	}
	m, ok := cfg.Merchants[c.Merchant]
	if !ok {
		return usageError{fmt.Sprintf("--merchant: there is no merchant %q in the configuration", c.Merchant)}
	}
	if err := probe.Allowed(cfg.Iyzico.BaseURL, m.APIKey.Reveal(), m.SecretKey.Reveal()); err != nil {
		return err
	}
	client, err := iyzico.New(iyzico.Config{
		BaseURL: cfg.Iyzico.BaseURL.String(), APIKey: iyzico.Secret(m.APIKey.Reveal()), SecretKey: iyzico.Secret(m.SecretKey.Reveal()),
		Locale: cfg.Iyzico.Locale, Timeout: cfg.Iyzico.Timeout,
	})
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	run := probe.Probe{
		Client:        client,
		RecipientType: iyzico.RecipientType(c.RecipientType), Recipient: iyzico.Private(c.Recipient), Name: iyzico.Private(c.Name),
		Run: newID()[:10], Wait: c.Wait, Poll: min(time.Second, c.Wait/20),
		Say: func(question string) { p.note("asking: %s", question) },
	}
	found, err := run.Do(ctx)
	if err != nil {
		return err
	}
	return c.report(p, probeReport{Host: cfg.Iyzico.BaseURL.Host, Findings: found})
}

// report prints the findings; a question that stayed open is an error.
func (c *probeCommand) report(p *program, r probeReport) error {
	open := 0
	for _, f := range r.Findings {
		if f.Open {
			open++
		}
	}
	if c.JSON {
		if err := p.printJSON(r); err != nil {
			return err
		}
	} else {
		p.say("%s", r.Host)
		for _, f := range r.Findings {
			p.say("\n%s\n  %s\n  simulator: %s\n  %s", f.Question, f.Answer, orDash(f.Setting), f.Means)
		}
	}
	if open > 0 {
		return fmt.Errorf("%d questions are open", open)
	}
	return nil
}
