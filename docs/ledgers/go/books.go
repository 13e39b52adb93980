package main

import (
	"context"
	"encoding/json"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/toplu/toplu/schema"
)

// The books: where each payout stands, and every posting that led there. The
// balance of an account is the sum of its postings, in minor units.
const tables = `
CREATE TABLE IF NOT EXISTS payouts (
	payout_id text   PRIMARY KEY,
	sequence  bigint NOT NULL,
	status    text   NOT NULL
);
CREATE TABLE IF NOT EXISTS postings (
	payout_id text   NOT NULL REFERENCES payouts,
	sequence  bigint NOT NULL,
	account   text   NOT NULL,
	minor     bigint NOT NULL,
	PRIMARY KEY (payout_id, sequence, account)
)`

func createTables(ctx context.Context, db *pgx.Conn) error {
	// Two that create the same table at once fail, so they take turns.
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(1042)`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, tables)
		return err
	})
}

// book posts the difference between what the books should be after a status
// and what they are. An event that is not newer than the last booked is
// skipped.
func book(ctx context.Context, tx pgx.Tx, s *schema.Status) error {
	_, err := tx.Exec(ctx, `INSERT INTO payouts VALUES ($1, 0, '') ON CONFLICT DO NOTHING`, s.PayoutID)
	if err != nil {
		return err
	}
	// The lock keeps out another process, also one that lost its partitions and
	// does not know it yet.
	var last int
	err = tx.QueryRow(ctx, `SELECT sequence FROM payouts WHERE payout_id = $1 FOR UPDATE`, s.PayoutID).Scan(&last)
	if err != nil || s.Sequence <= last {
		return err
	}
	for account, should := range balances(s) {
		_, err := tx.Exec(ctx, `
			INSERT INTO postings
			SELECT $1, $2, $3, $4 - coalesce(sum(minor), 0) FROM postings WHERE payout_id = $1 AND account = $3
			HAVING $4 <> coalesce(sum(minor), 0)`, s.PayoutID, s.Sequence, account, should)
		if err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE payouts SET sequence = $2, status = $3 WHERE payout_id = $1`, s.PayoutID, s.Sequence, string(s.Status))
	return err
}

// balances are what a payout's accounts should hold after a status.
func balances(s *schema.Status) map[string]int64 {
	b := map[string]int64{"reserved": 0, "paid": 0, "commission": 0}
	switch {
	case s.Status == schema.Paid:
		b["paid"] = s.Amount.Minor
		if s.Commission != nil {
			b["commission"] = s.Commission.Minor
		}
	case !s.Final: // also unknown, and statuses of tomorrow: the event says it
		b["reserved"] = s.Amount.Minor
	}
	return b
}

// printBooks writes a JSON line for each payout.
func printBooks(ctx context.Context, db *pgx.Conn, w io.Writer) error {
	rows, err := db.Query(ctx, `
		SELECT payout_id, status,
			coalesce(sum(minor) FILTER (WHERE account = 'reserved'), 0)::bigint,
			coalesce(sum(minor) FILTER (WHERE account = 'paid'), 0)::bigint,
			coalesce(sum(minor) FILTER (WHERE account = 'commission'), 0)::bigint
		FROM payouts LEFT JOIN postings USING (payout_id) GROUP BY payout_id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	out := json.NewEncoder(w)
	for rows.Next() {
		var id, status string
		var reserved, paid, commission int64
		if err := rows.Scan(&id, &status, &reserved, &paid, &commission); err != nil {
			return err
		}
		err := out.Encode(map[string]string{
			"payoutId": id, "status": status, "reserved": schema.FormatMinor(reserved),
			"paid": schema.FormatMinor(paid), "commission": schema.FormatMinor(commission),
		})
		if err != nil {
			return err
		}
	}
	return rows.Err()
}
