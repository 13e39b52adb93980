package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/toplu/toplu/schema"
)

// consume books what comes until ctx ends. Offsets are committed after the
// booking: what a crash leaves in between comes again, and is skipped.
func consume(ctx context.Context, db *pgx.Conn) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv("KAFKA_BROKERS"), ",")...),
		kgo.ConsumeTopics(cmp.Or(os.Getenv("KAFKA_TOPIC"), "payout.statuses")),
		kgo.ConsumerGroup(cmp.Or(os.Getenv("KAFKA_GROUP"), "ledger")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), // a new ledger begins at the beginning
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(), // partitions do not go to another process amid a booking
		kgo.SessionTimeout(10*time.Second),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollRecords(ctx, 500)
		if ctx.Err() != nil {
			break
		}
		if err := fetches.Err(); err != nil {
			return err
		}
		err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error { return bookAll(ctx, tx, fetches.Records()) })
		if err != nil {
			return err
		}
		if err := client.CommitUncommittedOffsets(ctx); err != nil {
			return err
		}
		client.AllowRebalance()
	}
	return nil
}

func bookAll(ctx context.Context, tx pgx.Tx, records []*kgo.Record) error {
	for _, r := range records {
		m := schema.Message{Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, schema.Header(h))
		}
		s, err := schema.DecodeStatus(m)
		switch {
		case errors.Is(err, schema.ErrOtherType):
			continue // a later version's
		case err != nil:
			return fmt.Errorf("%s/%d offset %d: %w", r.Topic, r.Partition, r.Offset, err)
		case s.Sequence == 0:
			continue // a request that never became a payout
		}
		if err := book(ctx, tx, &s); err != nil {
			return fmt.Errorf("%s: %w", s.PayoutID, err)
		}
	}
	return nil
}
