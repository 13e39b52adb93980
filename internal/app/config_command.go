package app

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/toplu/toplu/internal/config"
)

type configCommands struct {
	Check configCheckCommand `cmd:"" help:"Name every mistake in the configuration."`
	Show  configShowCommand  `cmd:"" help:"Print every key in force and where its value comes from."`
}

type configCheckCommand struct{ jsonFlag }

// Help says more than the line in the list of commands.
func (*configCheckCommand) Help() string {
	return `Reads the configuration file and the environment, secret files included, and names every mistake at once: the key, its value (never a secret's), where it stands, and what is allowed. It connects to nothing.

Example:

  toplu config check --config toplu.yaml`
}

type configVerdict struct {
	OK       bool             `json:"ok"`
	Problems []config.Problem `json:"problems"`
}

// Run checks the configuration.
func (c *configCheckCommand) Run(p *program) error {
	_, err := p.config()
	var invalid *config.InvalidError
	if err != nil && !errors.As(err, &invalid) {
		return err
	}
	if !c.JSON {
		if err == nil {
			p.say("configuration: fine")
		}
		return err
	}
	verdict := configVerdict{OK: err == nil, Problems: []config.Problem{}}
	if invalid != nil {
		verdict.Problems = invalid.Problems
	}
	if err := p.printJSON(verdict); err != nil {
		return err
	}
	if !verdict.OK {
		return errReported
	}
	return nil
}

type configShowCommand struct{ jsonFlag }

// Help says more than the line in the list of commands.
func (*configShowCommand) Help() string {
	return `Prints every key with the value in force and where it comes from: the default, a line of the file, an environment variable or a secret file. Secrets are shown as ***.

Example:

  TOPLU_BATCH_MAXITEMS=50 toplu config show --config toplu.yaml`
}

type configInForce struct {
	Settings []config.Setting `json:"settings"`
}

// Run prints what is in force.
func (c *configShowCommand) Run(p *program) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(configInForce{Settings: cfg.Settings()})
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, s := range cfg.Settings() {
		_, _ = fmt.Fprintf(w, "%s:\t%s\t# %s\n", s.Key, s.Value, s.From)
	}
	return w.Flush()
}
