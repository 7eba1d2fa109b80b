"""What one program with pika reaches that waits for each answer, on a broker on this machine: pika_patterns.py PORT.

Prints a line for each pattern with how often it was done in a second. To compare, run it on one broker after the other.
"""

import sys
import threading
import time

import pika

QUEUES = ["pattern.empty", "pattern.backlog", "pattern.stored", "pattern.calls", "pattern.spare"]
EMPTY, BACKLOG, STORED, CALLS, SPARE = QUEUES
TRANSIENT = pika.BasicProperties(delivery_mode=1)
PERSISTENT = pika.BasicProperties(delivery_mode=2)
REPLY_TO = "amq.rabbitmq.reply-to"

parameters = pika.ConnectionParameters("127.0.0.1", int(sys.argv[1]), heartbeat=0)


def connect():
    return pika.BlockingConnection(parameters)


def rate(pattern, times, run):
    begun = time.perf_counter()
    run(times)
    print(f"{pattern:52} {times / (time.perf_counter() - begun):8.0f} /s", flush=True)


def each(step):
    """Runs a step so many times."""

    def run(times):
        for number in range(times):
            step(number)

    return run


def publish(channel, queue, properties, size=100):
    body = b"x" * size
    return each(lambda _: channel.basic_publish("", queue, body, properties))


def consume(queue, prefetch):
    def run(times):
        connection = connect()
        channel = connection.channel()
        channel.basic_qos(prefetch_count=prefetch)
        for got, (method, _, _) in enumerate(channel.consume(queue, inactivity_timeout=10), start=1):
            assert method is not None, f"only {got} of {times} messages came"
            channel.basic_ack(method.delivery_tag)
            if got == times:
                break
        connection.close()

    return run


def call(times):
    """Calls a server and waits for its answer, over direct reply-to."""
    done = threading.Event()
    serving = threading.Event()

    def serve():
        connection = connect()
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)

        def answer(_, method, properties, body):
            reply = pika.BasicProperties(correlation_id=properties.correlation_id)
            channel.basic_publish("", properties.reply_to, body, reply)
            channel.basic_ack(method.delivery_tag)

        channel.basic_consume(CALLS, answer)
        serving.set()
        while not done.is_set():
            connection.process_data_events(0.05)
        connection.close()

    server = threading.Thread(target=serve)
    server.start()
    serving.wait()
    connection = connect()
    channel = connection.channel()
    answers = []
    channel.basic_consume(REPLY_TO, lambda *answer: answers.append(answer), auto_ack=True)
    for number in range(times):
        properties = pika.BasicProperties(reply_to=REPLY_TO, correlation_id=str(number))
        channel.basic_publish("", CALLS, b"x", properties)
        while len(answers) <= number:
            connection.process_data_events(None)
    done.set()
    server.join()
    connection.close()


connection = connect()
channel = connection.channel()
for name in QUEUES:
    channel.queue_delete(name)
    channel.queue_declare(name, durable=True)
confirming = connect().channel()
confirming.confirm_delivery()

rate("publish, wait for the confirm: transient", 2000, publish(confirming, EMPTY, TRANSIENT))
rate("  persistent", 1500, publish(confirming, EMPTY, PERSISTENT))
rate("  persistent, 10 KiB", 1000, publish(confirming, EMPTY, PERSISTENT, 10240))
publish(channel, BACKLOG, TRANSIENT)(100_000)
publish(channel, STORED, PERSISTENT)(20_000)
channel.queue_declare(STORED, passive=True)
rate("  transient, behind 100,000 others", 2000, publish(confirming, BACKLOG, TRANSIENT))
rate("  persistent, behind 100,000 others", 1500, publish(confirming, BACKLOG, PERSISTENT))
slow = connect()
slow_channel = slow.channel()
slow_channel.basic_qos(prefetch_count=10)
slow_channel.basic_consume(BACKLOG, lambda *_: None)
slow.process_data_events(0.2)
rate("  transient, with a consumer that acks nothing", 2000, publish(confirming, BACKLOG, TRANSIENT))
rate("  persistent, with a consumer that acks nothing", 1500, publish(confirming, BACKLOG, PERSISTENT))
slow.close()

rate(
    "basic.get and ack",
    3000,
    each(lambda _: channel.basic_ack(channel.basic_get(BACKLOG)[0].delivery_tag)),
)
rate("basic.get of an empty queue", 3000, each(lambda _: channel.basic_get(SPARE)))
rate("consume with prefetch 1, ack each: transient", 3000, consume(BACKLOG, 1))
rate("  persistent", 3000, consume(STORED, 1))
rate("consume with prefetch 100, ack each: transient", 10_000, consume(BACKLOG, 100))
rate("  persistent", 10_000, consume(STORED, 100))
rate("call and answer over direct reply-to", 1500, call)

transactions = connect().channel()
transactions.tx_select()


def publish_and_commit(properties):
    def step(_):
        transactions.basic_publish("", SPARE, b"x", properties)
        transactions.tx_commit()

    return each(step)


rate("publish and tx.commit: transient", 700, publish_and_commit(TRANSIENT))
rate("  persistent", 700, publish_and_commit(PERSISTENT))
rate("declare passively", 3000, each(lambda _: channel.queue_declare(EMPTY, passive=True)))


def declare_and_delete(durable):
    def step(_):
        channel.queue_declare("pattern.made", durable=durable, auto_delete=not durable)
        channel.queue_delete("pattern.made")

    return each(step)


def bind_and_unbind(number):
    channel.queue_bind(EMPTY, "amq.topic", f"key.{number}")
    channel.queue_unbind(EMPTY, "amq.topic", f"key.{number}")


rate("declare and delete a queue: transient", 700, declare_and_delete(False))
rate("  durable", 700, declare_and_delete(True))
rate("bind and unbind a durable queue", 700, each(bind_and_unbind))
rate("open and close a channel", 700, each(lambda _: connection.channel().close()))
rate("open and close a connection", 200, each(lambda _: connect().close()))

for name in QUEUES:
    channel.queue_delete(name)
