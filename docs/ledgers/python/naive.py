"""How not to do it: a ledger that works on a quiet day.

It adds and subtracts what each event seems to say, reads amounts as floats, takes
unknown for a failure, and lets the client commit offsets when it likes.
`toplu conformance` says what comes of each.

    python naive.py         books payout.statuses until it is ended
    python naive.py books   prints the books
"""

import json
import os
import sqlite3
import sys

from confluent_kafka import Consumer


def open_books():
    db = sqlite3.connect(os.environ.get("LEDGER_FILE", "naive.db"), timeout=30)
    db.execute(
        """CREATE TABLE IF NOT EXISTS payouts (payout_id TEXT PRIMARY KEY, status TEXT,
             reserved INTEGER DEFAULT 0, paid INTEGER DEFAULT 0, commission INTEGER DEFAULT 0)"""
    )
    return db


def kurus(money):
    return int(float(money["value"]) * 100) if money else 0


def book(db, event):
    if "status" not in event:
        return
    amount = kurus(event.get("amount"))
    reserved = paid = commission = 0
    if event["status"] == "accepted":
        reserved = amount
    elif event["status"] == "paid":
        reserved, paid, commission = -amount, amount, kurus(event["commission"])
    elif event["status"] in ("failed", "returned", "return_failed", "rejected", "cancelled", "unknown"):
        reserved = -amount
    db.execute("INSERT OR IGNORE INTO payouts (payout_id) VALUES (?)", (event["payoutId"],))
    db.execute(
        "UPDATE payouts SET status = ?, reserved = reserved + ?, paid = paid + ?, commission = commission + ? WHERE payout_id = ?",
        (event["status"], reserved, paid, commission, event["payoutId"]),
    )


def consume():
    db = open_books()
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["KAFKA_BROKERS"],
            "group.id": os.environ.get("KAFKA_GROUP", "naive"),
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 10000,
        }
    )
    consumer.subscribe([os.environ.get("KAFKA_TOPIC", "payout.statuses")])
    while True:
        for message in consumer.consume(num_messages=500, timeout=0.5):
            book(db, json.loads(message.value()))
        db.commit()


def print_books():
    for row in open_books().execute("SELECT payout_id, status, reserved, paid, commission FROM payouts"):
        payout_id, status, reserved, paid, commission = row
        print(json.dumps({
            "payoutId": payout_id, "status": status,
            "reserved": f"{reserved / 100:.2f}", "paid": f"{paid / 100:.2f}", "commission": f"{commission / 100:.2f}",
        }))


if __name__ == "__main__":
    print_books() if sys.argv[1:] == ["books"] else consume()
