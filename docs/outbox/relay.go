package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/toplu/toplu/producer"
	"github.com/toplu/toplu/schema"
)

// relay publishes rows until ctx ends. Any number of relays may run: one works
// at a time, so that the order is kept, and the others take over when it ends.
func relay(ctx context.Context, db *pgx.Conn, p *producer.Producer) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		sent := 0
		err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) (err error) {
			sent, err = sendSome(ctx, tx, p)
			return err
		})
		if err != nil && ctx.Err() == nil {
			return err
		}
		if sent > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sendSome publishes the oldest rows and marks them, and returns how many. A
// crash after Publish and before the commit sends them again, which is the
// same event again and pays nothing twice.
func sendSome(ctx context.Context, tx pgx.Tx, p *producer.Producer) (int, error) {
	var mine bool
	// Held until the transaction ends. SKIP LOCKED would share the work, and
	// lose the order.
	if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock(1043)`).Scan(&mine); err != nil || !mine {
		return 0, err
	}
	ids, requests, err := unsent(ctx, tx)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	err = p.Publish(ctx, requests...)
	if invalid, ok := errors.AsType[*producer.InvalidError](err); ok {
		// None was sent. The wrong ones are put aside for a person, with the reason.
		for _, r := range invalid.Requests {
			reason := schema.Invalid{Code: r.Code, Problems: r.Problems}
			if _, err := tx.Exec(ctx, `UPDATE payout_outbox SET refused = $2 WHERE id = $1`, ids[r.Index], reason.Error()); err != nil {
				return 0, err
			}
		}
		return len(invalid.Requests), nil
	}
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `UPDATE payout_outbox SET sent_at = now() WHERE id = ANY($1)`, ids)
	return len(ids), err
}

// unsent reads the oldest rows that are neither sent nor refused. It does not go
// by the last id it has seen: a transaction with a lower id may commit later.
func unsent(ctx context.Context, tx pgx.Tx) (ids []int64, requests []producer.Request, err error) {
	rows, err := tx.Query(ctx, `
		SELECT id, payout_id, order_id, amount::text, iban, name
		FROM payout_outbox JOIN sellers USING (seller_id)
		WHERE sent_at IS NULL AND refused IS NULL ORDER BY id LIMIT 500`)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var payoutID, order, amount, iban, name string
		if err := rows.Scan(&id, &payoutID, &order, &amount, &iban, &name); err != nil {
			return nil, nil, err
		}
		ids = append(ids, id)
		requests = append(requests, producer.Request{
			PayoutID: payoutID, Amount: amount, Currency: schema.TRY,
			Recipient:   schema.Recipient{Type: schema.IBAN, Value: schema.Private(iban), Name: schema.Private(name)},
			Description: schema.Private("Order " + order),
			Metadata:    map[string]string{"orderId": order},
		})
	}
	return ids, requests, rows.Err()
}
