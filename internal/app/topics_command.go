package app

import (
	"context"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
)

type topicsCommands struct {
	Create topicsCreateCommand `cmd:"" help:"Create the topics that are missing, and check those there are."`
	Check  topicsCheckCommand  `cmd:"" help:"Check the topics as the service does at its start."`
}

type topicsCheckCommand struct{ jsonFlag }

// Help says more than the line in the list of commands.
func (*topicsCheckCommand) Help() string {
	return `Compares the six topics, and those that merchants name, with what toplu needs: partitions, replicas, clean-up, retention, sizes. What is wrong is named with what to set; nothing is changed. Exit status 1 if the service would refuse to start.

Example:

  toplu topics check --config toplu.yaml`
}

// Run checks the topics.
func (c *topicsCheckCommand) Run(ctx context.Context, p *program) error {
	cfg, kafka, err := p.kafka(allTopics)
	if err != nil {
		return err
	}
	defer kafka.Close()
	found, err := describeAll(ctx, kafka, cfg)
	if err != nil {
		return err
	}
	return p.reportTopics(topicsReport{}, c.JSON, cfg, found)
}

// A topicsReport is what the topics commands print.
type topicsReport struct {
	OK       bool        `json:"ok"`
	Created  []string    `json:"created"`
	Topics   []topicView `json:"topics"`
	Problems []Problem   `json:"problems"`
}

type topicView struct {
	Name              string `json:"name"`
	Partitions        int    `json:"partitions"`
	Replication       int    `json:"replication"`
	MinInsyncReplicas int    `json:"minInsyncReplicas"`
	CleanupPolicy     string `json:"cleanupPolicy"`
	RetentionMS       int64  `json:"retentionMs"`
	RetentionBytes    int64  `json:"retentionBytes"`
	MaxMessageBytes   int    `json:"maxMessageBytes"`
}

// reportTopics judges what was found, adds it to what r already has, and
// prints it.
func (p *program) reportTopics(r topicsReport, asJSON bool, cfg *config.Config, found map[string]kafkaio.Topic) error {
	r.Topics, r.Created = []topicView{}, append([]string{}, r.Created...)
	for _, name := range allTopics(cfg.Topics()) {
		if t, ok := found[name]; ok {
			r.Topics = append(r.Topics, topicView{t.Name, t.Partitions, t.Replication, t.MinInSyncReplicas, t.CleanupPolicy, t.RetentionMS, t.RetentionBytes, t.MaxMessageBytes})
		}
	}
	r.Problems = append(append([]Problem{}, r.Problems...), judgeTopics(found, cfg)...)
	r.OK = len(refused(r.Problems)) == 0
	if asJSON {
		if err := p.printJSON(r); err != nil {
			return err
		}
	} else {
		p.sayTopics(r)
	}
	if !r.OK {
		return errReported
	}
	return nil
}

func (p *program) sayTopics(r topicsReport) {
	for _, name := range r.Created {
		p.say("created topic %s", name)
	}
	for _, problem := range r.Problems {
		p.note("%s", problem)
	}
	if r.OK {
		p.say("topics: fine")
	}
}
