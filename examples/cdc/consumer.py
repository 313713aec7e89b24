"""Change events from RabbitMQ into MongoDB: `{_id: KEY, after: {...}}` for every row that is there."""

import json
import os
import pathlib

import pika
import pymongo

KEYS = {"cdc_orders": "id", "cdc_tokens": "token"}


def apply(database, event):
    """Does one event; doing it again in its order changes nothing."""
    table = event["source"]["table"]
    before, after = event.get("before"), event.get("after")
    key = KEYS[table]
    if before and (not after or before[key] != after[key]):
        database[table].delete_one({"_id": before[key]})
    if after:
        database[table].replace_one({"_id": after[key]}, {"after": after}, upsert=True)


def main():
    database = pymongo.MongoClient(os.environ["MONGODB"]).get_default_database()
    channel = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ"])).channel()
    channel.exchange_declare("cdc", "direct", durable=True)
    channel.queue_declare("cdc", durable=True)
    channel.queue_bind("cdc", "cdc", routing_key="cdc")
    # What is not acknowledged comes again, in its old place.
    channel.basic_qos(prefetch_count=100)

    def take(channel, method, _properties, body):
        apply(database, json.loads(body))
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("cdc", take)
    pathlib.Path("/tmp/ready").touch()
    channel.start_consuming()


if __name__ == "__main__":
    main()
