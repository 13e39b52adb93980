// Command ledger books payout.statuses in PostgreSQL: each payout once, in one
// transaction with the knowledge of what is booked already.
//
//	ledger         books until it is interrupted
//	ledger books   prints the books, one JSON line a payout
//
// Where Kafka and PostgreSQL are comes from KAFKA_BROKERS, KAFKA_TOPIC,
// KAFKA_GROUP and DATABASE_URL. Whatever goes wrong ends the program, and
// nothing is lost by that: start it again.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/jackc/pgx/v5"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	db, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	if err := createTables(ctx, db); err != nil {
		return err
	}
	if len(args) == 1 && args[0] == "books" {
		return printBooks(ctx, db, os.Stdout)
	}
	return consume(ctx, db)
}
