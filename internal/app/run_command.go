package app

import (
	"context"
	"fmt"
	"strings"
)

type runCommand struct {
	Roles string `default:"consumer,worker" help:"Halves of the service that this process runs, separated by commas: consumer seals requests into batches, worker pays them. Default: ${default}." placeholder:"ROLES"`
}

// Help says more than the line in the list of commands.
func (*runCommand) Help() string {
	return `Runs the service until it is interrupted or gets SIGTERM; calls to iyzico that are in flight then finish. Any number of processes may run with the same configuration: Kafka divides the work among them.

It waits for Kafka, Redis and iyzico if they are not there yet, and goes on by itself when one was away. It ends with exit status 1 if the configuration, the topics or the credentials are wrong.

Example:

  toplu run --config toplu.yaml
  toplu run --config toplu.yaml --roles worker`
}

// Run serves until ctx ends.
func (c *runCommand) Run(ctx context.Context, p *program) error {
	roles, err := c.roles()
	if err != nil {
		return err
	}
	cfg, err := p.config()
	if err != nil {
		return err
	}
	log, err := newLogger(cfg.Log, p.stderr)
	if err != nil {
		return err
	}
	paceCollections()
	s, err := newService(cfg, roles, log)
	if err != nil {
		return err
	}
	if s.seal == nil {
		log.Warn().Msg(unsealed)
	}
	return s.Run(ctx)
}

func (c *runCommand) roles() (Roles, error) {
	var r Roles
	for role := range strings.SplitSeq(c.Roles, ",") {
		switch strings.TrimSpace(role) {
		case "consumer":
			r.Consumer = true
		case "worker":
			r.Worker = true
		default:
			return r, usageError{fmt.Sprintf("--roles: %q is not a role; there are consumer and worker", role)}
		}
	}
	return r, nil
}
