package app

import (
	"context"
	"strconv"

	"github.com/toplu/toplu/internal/oncall"
)

type offsetsCommands struct {
	Accept offsetsAcceptCommand `cmd:"" help:"Go on with a requests topic that was made anew or moved."`
}

type offsetsAcceptCommand struct {
	jsonFlag
	changeFlags
	Floor     string `help:"start: every request in the topic is taken, unless it is known. end: those there now are paid only by a replay, unless they are known." enum:"start,end" required:"" placeholder:"start|end"`
	Topic     string `help:"The topic of requests that is meant; needed where merchants name some of their own." placeholder:"TOPIC"`
	Partition int    `default:"-1" help:"Only this partition. Default: all." placeholder:"N"`
}

// Help says more than the line in the list of commands.
func (*offsetsAcceptCommand) Help() string {
	return `Sets a new floor where the consumer stopped since commits or floors do not fit to a topic of requests: the topic was made anew, moved, or is shorter than it was. Everything in it is read again from its first offset on. Running consumers that had not stopped go by the new floor after their next assignment.` + changeHelp + `

Example:

  toplu offsets accept --floor start --dry-run --config toplu.yaml
  toplu offsets accept --floor end --reason "topic copied to the new cluster" --config toplu.yaml`
}

// acceptReport is what was accepted.
type acceptReport struct {
	DryRun     bool                `json:"dryRun"`
	Partitions []oncall.Acceptance `json:"partitions"`
}

// Run accepts.
func (c *offsetsAcceptCommand) Run(ctx context.Context, p *program) error {
	if c.Reason == "" && !c.DryRun {
		return usageError{"--reason is needed"}
	}
	s, d, err := p.desk(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	topic, err := s.source(c.Topic)
	if err != nil {
		return err
	}
	all, err := d.PlanAccept(ctx, topic, c.Partition, c.Floor == "end")
	if err != nil {
		return explainKafka(err)
	}
	if len(all) == 0 {
		return usageError{"--partition " + strconv.Itoa(c.Partition) + ": there is no such partition"}
	}
	if !c.JSON {
		rows := [][]string{{"PARTITION", "START", "END", "FLOOR WAS", "FLOOR", "BELOW: PAID ONLY BY A REPLAY", "FROM IT ON: TAKEN"}}
		for _, a := range all {
			rows = append(rows, []string{strconv.Itoa(a.Partition), itoa(a.Start), itoa(a.End), itoa(a.Was), itoa(a.Floor), itoa(a.Below), itoa(a.Above)})
		}
		p.table(rows)
	}
	if !c.DryRun {
		if ok, err := c.confirmed(ctx, p, "Accept %d partitions of %s as they are?", len(all), topic); !ok {
			return err
		}
		if err := d.Accept(ctx, all, c.by(p), c.Reason); err != nil {
			return err
		}
	}
	if c.JSON {
		return p.printJSON(acceptReport{c.DryRun, all})
	}
	if !c.DryRun {
		p.say("accepted")
	}
	return nil
}
