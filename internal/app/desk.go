package app

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/toplu/toplu/internal/kafkaio"
	"github.com/toplu/toplu/internal/oncall"
	"github.com/toplu/toplu/schema"
	"github.com/toplu/toplu/worker/kafkalog"
	"github.com/toplu/toplu/worker/redisclaim"
)

// desk is the beginning of a command for the engineer on call: the whole
// configuration, clients, and what stands on them. The service must be closed.
func (p *program) desk(ctx context.Context) (*service, *oncall.Desk, error) {
	cfg, err := p.config()
	if err != nil {
		return nil, nil, err
	}
	log, err := newLogger(cfg.Log, p.stderr)
	if err != nil {
		return nil, nil, err
	}
	s, err := newService(cfg, Roles{}, log)
	if err != nil {
		return nil, nil, err
	}
	if s.shards, err = s.kafka.Partitions(ctx, s.topics.Batches); err != nil {
		s.close()
		return nil, nil, explainKafka(err)
	}
	s.openGates()
	return s, s.desk(), nil
}

// desk stands on the service's clients. The number of shards must be known.
func (s *service) desk() *oncall.Desk {
	return &oncall.Desk{
		Logs: s.oncallLogs, Claims: s.claims, Shards: s.shards, Now: time.Now,
		Kafka: s.kafka, Topics: s.topics, GroupOf: s.cfg.GroupOf, OffsetsOf: s.offsetsOf,
		Configured: func(merchant string) bool { _, ok := s.cfg.Merchants[merchant]; return ok },
		Seal:       s.seal, Notes: redisclaim.NewBoard(s.redis, s.cfg.Redis.KeyPrefix).Notes,
	}
}

// offsetsOf asks with a client of its own: the service's knows its topics alone.
func (s *service) offsetsOf(ctx context.Context, topic string) (map[int]kafkaio.Offsets, error) {
	client, err := dialKafka(s.cfg.Kafka, s.log, topic)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return client.Offsets(ctx, topic)
}

// oncallLogs are the logs of a shard for people.
func (s *service) oncallLogs(shard int) oncall.Logs {
	plans, journal := s.logs(shard)
	return oncall.Logs{
		Plans: plans, Journal: journal, Commands: kafkalog.New(s.kafka, s.topics.Commands, shard),
		JournalAt: func(ctx context.Context, t time.Time) (int64, error) {
			at, err := s.kafka.OffsetsAt(ctx, s.topics.Journal, t, shard)
			return at[shard], err
		},
	}
}

// table writes rows in columns. The first row is the head.
func (p *program) table(rows [][]string) {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = w.Write([]byte(strings.Join(row, "\t") + "\n"))
	}
	_ = w.Flush()
}

// age is how long ago t was, as people say it.
func age(now, t time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Second:
		return "<1s"
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	case d < 48*time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Hour).String(), "0m0s")
	default:
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	}
}

// sayTroubles names the shards that could not be read.
func (p *program) sayTroubles(troubles []oncall.ShardTrouble) {
	for _, t := range troubles {
		p.note("shard %d cannot be read: %s", t.Shard, t.Text)
	}
}

// sayAnswer prints what became of a command, and makes a refusal a failure.
func (p *program) sayAnswer(asJSON bool, a oncall.Answer) error {
	if asJSON {
		if err := p.printJSON(a); err != nil {
			return err
		}
	} else {
		p.say("%s: %s", spoken(a.Verdict), a.Text)
		if a.Record != "" && a.Record != schema.RecNoted {
			p.say("record %s at offset %d of the journal of shard %d", a.Record, a.Offset, a.Shard)
		}
	}
	return verdictError(a.Verdict)
}

func verdictError(v oncall.Verdict) error {
	switch v {
	case oncall.Refused, oncall.Written:
		return errReported
	case oncall.Counted, oncall.TooLate:
		return nil
	}
	return errors.New("an answer of an unknown kind: " + string(v))
}

// spoken is a verdict as people say it.
func spoken(v oncall.Verdict) string { return strings.ReplaceAll(string(v), "_", " ") }
