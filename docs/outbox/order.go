package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The shop's orders, and what it asked for. The outbox has the amount as it was
// asked for, whatever becomes of the order; recipients stand in one table only,
// and are read when a row is sent. (One that changes between two sendings of the
// same row is a conflict: the first is paid, the second goes to the dead letters.)
const tables = `
CREATE TABLE IF NOT EXISTS sellers (
	seller_id text PRIMARY KEY,
	name      text NOT NULL,
	iban      text NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
	order_id  text PRIMARY KEY,
	seller_id text NOT NULL REFERENCES sellers,
	amount    numeric(18, 2) NOT NULL
);
CREATE TABLE IF NOT EXISTS payout_outbox (
	id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	payout_id text   NOT NULL UNIQUE CHECK (payout_id ~ '^[A-Za-z0-9._-]+:[A-Za-z0-9._-]+$' AND length(payout_id) <= 64),
	order_id  text   NOT NULL REFERENCES orders,
	seller_id text   NOT NULL REFERENCES sellers,
	amount    numeric(18, 2) NOT NULL,
	sent_at   timestamptz,
	refused   text
);
CREATE INDEX IF NOT EXISTS payout_outbox_unsent ON payout_outbox (id) WHERE sent_at IS NULL AND refused IS NULL`

func createTables(ctx context.Context, db *pgx.Conn) error {
	// Two that create the same table at once fail, so they take turns.
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(1041)`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, tables)
		return err
	})
}

// takeOrder takes an order and asks for its payout, both or neither.
func takeOrder(ctx context.Context, db *pgx.Conn, order, seller, amount string) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO orders VALUES ($1, $2, $3::text::numeric)`, order, seller, amount)
		if err != nil {
			return fmt.Errorf("order %s: %w", order, err)
		}
		// The payout id comes from the order: whoever asks twice asks for the same. The
		// table allows one colon, so that no two orders ask under one id; and an order
		// whose id no payout can have is not taken at all.
		_, err = tx.Exec(ctx, `
			INSERT INTO payout_outbox (payout_id, order_id, seller_id, amount)
			SELECT order_id || ':' || seller_id, order_id, seller_id, amount FROM orders WHERE order_id = $1`, order)
		if err != nil {
			return fmt.Errorf("payout of order %s: %w", order, err)
		}
		return nil
	})
}
