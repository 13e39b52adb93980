package app

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/toplu/toplu/internal/config"
	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/schema"
)

type sendCommand struct {
	jsonFlag
	File   string `arg:"" help:"CSV or JSON lines; - for standard input."`
	DryRun bool   `help:"Check the file and send nothing."`
	Skip   int    `help:"Requests at the beginning that an earlier run has sent for certain; when it ended early it said how many." placeholder:"N"`
}

// Help says more than the line in the list of commands.
func (*sendCommand) Help() string {
	return `Checks the whole file first. If a line is wrong, every wrong line is named and nothing is sent. Sending a file twice sends the same events again, which pays nothing twice.

CSV has a header with payoutId, recipientType, recipientValue, amount and currency, and may have merchant, purpose, recipientName, description and metadata.NAME; columns are separated by commas, or by semicolons: then amounts may have a decimal comma. The file is UTF-8, with or without a byte order mark; Windows-1254 and UTF-16 are refused. JSON lines are the data of a request, an object a line:

  {"payoutId":"order-1","recipient":{"type":"PHONE","value":"+905350000000"},"amount":{"value":"100.50","currency":"TRY"}}

Recipient types: IBAN, MEMBER_ID, IDENTITY_NUMBER, PHONE. If the configuration names merchants, only these are allowed, and their requests go to the first of their topics.

Example:

  toplu send payouts.csv --dry-run --config toplu.yaml`
}

// A sendReport is what was found in the file and done with it.
type sendReport struct {
	File       string            `json:"file"`
	Topics     map[string]int    `json:"topics"` // requests for each topic
	Requests   int               `json:"requests"`
	Duplicates int               `json:"duplicates"` // the same request again in the file: sent once
	Totals     map[string]string `json:"totals"`     // by currency
	DryRun     bool              `json:"dryRun"`
	Sent       int               `json:"sent"`
	Bad        []badLine         `json:"bad"`
	Warnings   []badLine         `json:"warnings"`
}

// Run sends the file.
func (c *sendCommand) Run(ctx context.Context, p *program) error {
	cfg, err := p.config("kafka")
	if err != nil {
		return err
	}
	input, err := c.read(p)
	if err != nil {
		return err
	}
	batch, err := checkRequests(ctx, input, cfg.Rules(), topicOf(cfg))
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	report := sendReport{
		File: c.File, Topics: batch.topics(), Requests: len(batch.messages), Duplicates: batch.duplicates,
		Totals: batch.totals(), DryRun: c.DryRun, Bad: batch.bad, Warnings: batch.warnings,
	}
	if c.Skip < 0 || c.Skip > len(batch.messages) {
		return usageError{fmt.Sprintf("--skip %d: %s has %d requests", c.Skip, c.File, len(batch.messages))}
	}
	if len(batch.bad) == 0 && !c.DryRun {
		report.Sent, err = p.send(ctx, cfg, batch.messages, slices.Sorted(maps.Keys(report.Topics)), c.Skip)
	}
	if printed := c.print(p, report, err); printed != nil {
		return printed
	}
	switch {
	case err != nil:
		return err
	case len(batch.bad) > 0:
		return errReported
	}
	return nil
}

// topicOf says where a merchant's requests go: to the first of its topics. A
// machine that only sends need not know the merchants.
func topicOf(cfg *config.Config) func(merchant string) string {
	return func(merchant string) string {
		if m, ok := cfg.Merchants[merchant]; ok && len(m.Topics) > 0 {
			return m.Topics[0]
		}
		return cfg.Topics().Requests
	}
}

// read returns the whole input: it is looked at twice, and must be the same.
func (c *sendCommand) read(p *program) ([]byte, error) {
	if c.File == "-" {
		return io.ReadAll(p.stdin)
	}
	return os.ReadFile(c.File)
}

func (c *sendCommand) print(p *program, r sendReport, err error) error {
	if c.JSON {
		return p.printJSON(r)
	}
	for _, w := range r.Warnings {
		p.note("warning: %s", w)
	}
	for _, b := range r.Bad {
		p.note("%s", b)
	}
	found := fmt.Sprintf("%d requests%s", r.Requests, inAll(r.Totals))
	if r.Duplicates > 0 {
		found += fmt.Sprintf(", %d repeated in the file", r.Duplicates)
	}
	switch {
	case len(r.Bad) > 0:
		p.note("%s: %d bad lines; nothing was sent", r.File, len(r.Bad))
	case r.DryRun:
		p.say("%s: %s; all are fine, nothing was sent", r.File, found)
	case err == nil:
		p.say("%s: %s sent to %s", r.File, found, strings.Join(slices.Sorted(maps.Keys(r.Topics)), ", "))
	}
	return nil
}

// inAll is " (100.50 TRY, 3.00 USD)", to be looked at before money moves.
func inAll(totals map[string]string) string {
	var sums []string
	for _, currency := range []schema.Currency{schema.TRY, schema.USD, schema.EUR} {
		if sum, ok := totals[string(currency)]; ok {
			sums = append(sums, sum+" "+string(currency))
		}
	}
	return " (" + strings.Join(sums, ", ") + ")"
}

// sendChunk is how many requests are written at a time.
const sendChunk = 1000

// send writes the requests behind the first skip in their order and returns how
// many are certain to be in Kafka, those skipped included.
func (p *program) send(ctx context.Context, cfg *config.Config, messages []kafkaio.Addressed, topics []string, skip int) (int, error) {
	log, err := newLogger(cfg.Log, p.stderr)
	if err != nil {
		return 0, err
	}
	client, err := dialKafka(cfg.Kafka, log, topics...)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	for _, topic := range topics {
		if _, err := client.Partitions(ctx, topic); err != nil {
			return 0, explainKafka(err)
		}
	}
	bar := p.progress(int64(len(messages)), "sending")
	defer bar.end()
	bar.add(skip)
	for sent := skip; sent < len(messages); {
		chunk := messages[sent:min(sent+sendChunk, len(messages))]
		if err := publish(ctx, client, cfg.Kafka.Timeout, chunk); err != nil {
			goOn := fmt.Sprintf("%d of %d requests were sent for certain; go on with --skip %d, or send the whole file again: what was sent is then the same event, and is paid once", sent, len(messages), sent)
			if ctx.Err() != nil { // interrupted: of that nothing more is said
				p.note("%s", goOn)
				return sent, ctx.Err()
			}
			return sent, fmt.Errorf("%w\n%s", explainKafka(err), goOn)
		}
		sent += len(chunk)
		bar.add(len(chunk))
	}
	return len(messages), nil
}

// publish writes one chunk. The client itself would go on trying for ever.
func publish(ctx context.Context, client *kafkaio.Client, limit time.Duration, chunk []kafkaio.Addressed) error {
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("kafka: not written within %s", limit))
	defer cancel()
	return client.PublishAll(limited, chunk)
}
