// Command outbox is a shop that asks for payouts in the transaction of its
// orders, and the relay that brings what it asked for to Kafka.
//
//	outbox order ORDER SELLER AMOUNT   takes an order and asks for the seller's payout
//	outbox relay                       sends what was asked for, until it is interrupted
//
// Why not publish in the order's transaction? Because either can fail after the
// other: an order without a payout, or a payout without an order. So the request
// is a row of the same transaction (order.go), and the relay publishes rows at
// least once (relay.go). Twice is harmless: toplu pays a payout id once.
//
// Where things are comes from DATABASE_URL, KAFKA_BROKERS and KAFKA_TOPIC.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/toplu/toplu/producer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "outbox:", err)
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
	switch {
	case len(args) == 4 && args[0] == "order":
		return takeOrder(ctx, db, args[1], args[2], args[3])
	case len(args) == 1 && args[0] == "relay":
		p, err := producer.New(producer.Config{
			Brokers: strings.Split(os.Getenv("KAFKA_BROKERS"), ","), Topic: cmp.Or(os.Getenv("KAFKA_TOPIC"), "payout.requests"),
		})
		if err != nil {
			return err
		}
		defer p.Close()
		return relay(ctx, db, p)
	}
	return errors.New("want: order ORDER SELLER AMOUNT, or relay")
}
