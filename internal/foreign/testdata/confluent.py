"""Writes requests and reads statuses with confluent-kafka: see clients_test.go."""

import json
import os
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

action, topic = sys.argv[1:3]
brokers = os.environ["KAFKA_BROKERS"]


def failed(err, _):
    if err:
        sys.exit(str(err))


def produce(producer, mode):
    for line in sys.stdin:
        e = json.loads(line)
        if mode == "structured":
            headers = {"content-type": "application/cloudevents+json"}
            value = {**e["attributes"], "datacontenttype": "application/json", "data": e["data"]}
        else:
            headers = {"content-type": "application/json"}
            headers.update({"ce_" + name: text for name, text in e["attributes"].items()})
            value = e["data"]
        headers["x-shop"] = "confluent-kafka"
        producer.produce(topic, json.dumps(value), e["key"], headers=headers, on_delivery=failed)


def write(mode):
    producer = Producer({
        "bootstrap.servers": brokers, "acks": "all",
        "partitioner": "murmur2_random",  # as Java; the default is another
    })
    produce(producer, mode)
    producer.flush()


def transaction(end):
    producer = Producer({
        "bootstrap.servers": brokers, "partitioner": "murmur2_random", "transactional.id": "confluent-shop",
    })
    producer.init_transactions()
    producer.begin_transaction()
    produce(producer, "binary")
    producer.flush()  # the records stand in the log, whatever becomes of them
    producer.commit_transaction() if end == "commit" else producer.abort_transaction()


def read():
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "confluent", "enable.auto.commit": False})
    left, parts = 0, []
    for partition in consumer.list_topics(topic).topics[topic].partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition))
        left += high - low
        parts.append(TopicPartition(topic, partition, OFFSET_BEGINNING))
    consumer.assign(parts)
    while left > 0:
        m = consumer.poll(10)
        if m is None or m.error():
            sys.exit(f"read: {m and m.error()}")
        left -= 1
        print(json.dumps({
            "partition": m.partition(), "offset": m.offset(), "key": m.key().decode(),
            "headers": {name: text.decode() for name, text in m.headers()}, "value": json.loads(m.value()),
        }))
    consumer.close()


{"write": write, "transaction": transaction, "read": read}[action](*sys.argv[3:])
