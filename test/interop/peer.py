"""An upstream and a consumer of somebody else: librdkafka, with Avro and the client of schema registries for Python.

    peer.py produce BROKERS REGISTRY SCHEMAS   lines {"topic", "schema", "value"} from standard input, keyed by contact
    peer.py consume BROKERS REGISTRY TOPIC     what is committed of the topic, as lines of JSON, in the order of each key
"""

import json
import sys
from datetime import datetime
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext


def produce(brokers: str, registry: SchemaRegistryClient, schemas: str) -> None:
    # The partitioner is librdkafka's own: CRC-32 of the key.
    producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True})
    serializers: dict[str, AvroSerializer] = {}

    def told(error, _message) -> None:
        if error is not None:
            sys.exit(f"not sent: {error}")

    for line in sys.stdin:
        record = json.loads(line)
        topic, value = record["topic"], record["value"]
        if topic not in serializers:
            text = Path(schemas, record["schema"]).read_text(encoding="utf8")
            serializers[topic] = AvroSerializer(registry, text)
        encoded = serializers[topic](value, SerializationContext(topic, MessageField.VALUE))
        producer.produce(topic, key=value["contactId"].encode(), value=encoded, on_delivery=told)
        producer.poll(0)
    if producer.flush(60) > 0:
        sys.exit("not all was sent within 60 s")


def consume(brokers: str, registry: SchemaRegistryClient, topic: str) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": f"{topic}.reader",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    partitions = consumer.list_topics(topic, 30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    deserialize = AvroDeserializer(registry)
    behind = set(partitions)
    while behind:
        message = consumer.poll(60)
        if message is None:
            sys.exit(f"nothing came for 60 s; not read to their end: {sorted(behind)}")
        if message.error() is None:
            value = deserialize(message.value(), SerializationContext(topic, MessageField.VALUE))
            place = {"partition": message.partition(), "offset": message.offset(), "key": message.key().decode()}
            print(json.dumps({**place, "value": value}, default=milliseconds))
        elif message.error().code() == KafkaError._PARTITION_EOF:
            behind.discard(message.partition())
        else:
            sys.exit(f"not read: {message.error()}")
    consumer.close()


def milliseconds(value: object) -> int:
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    raise TypeError(f"{type(value)} is not of JSON")


command, servers, url, where = sys.argv[1:]
# Of its own it waits for ever, and the registry of tests has left a request without an answer while the machine was busy.
schemas_of = SchemaRegistryClient({"url": url, "timeout": 10})
{"produce": produce, "consume": consume}[command](servers, schemas_of, where)
