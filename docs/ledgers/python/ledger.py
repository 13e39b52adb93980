"""A ledger of payouts with confluent-kafka and SQLite.

    python ledger.py         books payout.statuses until it is ended
    python ledger.py books   prints the books, one JSON line a payout

The rule: the books of a payout follow from its latest status alone, and an
event is skipped unless its sequence is higher than the last one booked.
"""

import json
import os
import re
import sqlite3
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException

KNOWN = re.compile(r"payout\.([a-z_]+)\.v1")

# What a commit is refused with when the partitions go to another process.
MOVED = {
    KafkaError.REBALANCE_IN_PROGRESS, KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError._ASSIGNMENT_LOST, KafkaError._NO_OFFSET,
}


def open_books():
    db = sqlite3.connect(os.environ.get("LEDGER_FILE", "ledger.db"), timeout=30)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(
        """CREATE TABLE IF NOT EXISTS payouts (
             payout_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, status TEXT NOT NULL,
             reserved INTEGER NOT NULL, paid INTEGER NOT NULL, commission INTEGER NOT NULL)"""
    )
    return db


def minor(money):
    """The amount in minor units. It always has two decimals, and is never a float."""
    return int(money["value"].replace(".", "")) if money else 0


def book(db, message):
    headers = dict(message.headers() or [])
    kind = KNOWN.fullmatch(headers.get("ce_type", b"").decode())
    event = json.loads(message.value()) if kind else {}
    if not kind or kind[1] != event.get("status") or event["sequence"] == 0:
        return  # a later version's event, or a request that never became a payout
    amount, fee = minor(event["amount"]), minor(event.get("commission"))
    paid = event["status"] == "paid"
    reserved = 0 if event["final"] else amount  # also for unknown, and for statuses of tomorrow
    db.execute(
        """INSERT INTO payouts VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (payout_id) DO UPDATE SET
             sequence = excluded.sequence, status = excluded.status,
             reserved = excluded.reserved, paid = excluded.paid, commission = excluded.commission
           WHERE excluded.sequence > payouts.sequence""",
        (event["payoutId"], event["sequence"], event["status"], reserved, amount if paid else 0, fee if paid else 0),
    )


def consume():
    db = open_books()
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ["KAFKA_BROKERS"],
            "group.id": os.environ.get("KAFKA_GROUP", "ledger"),
            "auto.offset.reset": "earliest",  # a new ledger begins at the beginning
            "enable.auto.commit": False,  # offsets are committed after the booking
            "session.timeout.ms": 10000,
        }
    )
    consumer.subscribe([os.environ.get("KAFKA_TOPIC", "payout.statuses")])
    while True:
        messages = consumer.consume(num_messages=500, timeout=0.5)
        for message in messages:
            if message.error():
                raise RuntimeError(message.error())
        if messages:
            with db:  # one transaction
                for message in messages:
                    book(db, message)
            try:
                consumer.commit(asynchronous=False)
            except KafkaException as err:
                if err.args[0].code() not in MOVED:
                    raise  # else what was booked comes again, here or elsewhere, and is skipped


def print_books():
    def lira(n):
        return f"{n // 100}.{n % 100:02d}"

    for row in open_books().execute("SELECT payout_id, status, reserved, paid, commission FROM payouts"):
        payout_id, status, reserved, paid, commission = row
        print(json.dumps({
            "payoutId": payout_id, "status": status,
            "reserved": lira(reserved), "paid": lira(paid), "commission": lira(commission),
        }))


if __name__ == "__main__":
    print_books() if sys.argv[1:] == ["books"] else consume()
