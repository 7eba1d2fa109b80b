"""kombu without Celery: connections, producers, consumers and simple queues."""

import socket
import time

from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.common import Broadcast
from kombu.exceptions import OperationalError
from kombu.mixins import ConsumerProducerMixin

from checks import check, main, unique

WAIT = 20


def drain(connection, done, limit=WAIT):
    """Lets consumers work until done() says it is enough."""
    deadline = time.time() + limit
    while not done():
        assert time.time() < deadline, "it took too long"
        try:
            connection.drain_events(timeout=0.1)
        except socket.timeout:
            connection.heartbeat_check()


def until(condition, limit=WAIT):
    """Asks until the answer is yes."""
    deadline = time.time() + limit
    while not condition():
        assert time.time() < deadline, "it took too long"
        time.sleep(0.02)


def delete(connection, queues=(), exchanges=()):
    for queue in queues:
        connection.default_channel.queue_delete(queue)
    for exchange in exchanges:
        connection.default_channel.exchange_delete(exchange)


@check
def connects(url):
    """connects, and reads who the broker is"""
    with Connection(url) as connection:
        connection.connect()
        properties = connection.connection.server_properties
        assert properties["product"] and properties["version"]
        assert properties["capabilities"]["basic.nack"] is True


@check
def simple_queue(url):
    """puts and gets through a simple queue, with and without acknowledgement"""
    name = unique("simple")
    with Connection(url) as connection:
        queue = connection.SimpleQueue(name)
        for number in range(3):
            queue.put({"number": number, "text": "grüße"})
        until(lambda: queue.qsize() == 3)
        first = queue.get(timeout=WAIT)
        assert first.payload == {"number": 0, "text": "grüße"}
        first.ack()
        second = queue.get(timeout=WAIT)
        second.requeue()
        numbers = []
        for _ in range(2):
            message = queue.get(timeout=WAIT)
            numbers.append(message.payload["number"])
            message.ack()
        assert sorted(numbers) == [1, 2]
        try:
            queue.get(block=False)
        except queue.Empty:
            pass
        else:
            raise AssertionError("the queue is not empty")
        queue.close()
        delete(connection, [name], [name])


@check
def simple_buffer(url):
    """puts and gets through a simple buffer, which nobody keeps"""
    name = unique("buffer")
    with Connection(url) as connection:
        buffer = connection.SimpleBuffer(name)
        buffer.put("passing")
        assert buffer.get(timeout=WAIT).payload == "passing"
        buffer.close()
        delete(connection, [name], [name])


@check
def queue_limits(url):
    """declares queues with every limit kombu has a word for"""
    with Connection(url) as connection:
        name = unique("limits")
        limits = {"expires": 60, "message_ttl": 30.5, "max_length": 10, "max_length_bytes": 1000, "max_priority": 5}
        for _ in range(2):
            Queue(name, channel=connection, **limits).declare()
        delete(connection, [name])


@check
def produces_and_consumes(url):
    """publishes in several formats, packed and unpacked, and consumes them"""
    exchange = Exchange(unique("exchange"), "topic", durable=False)
    queue = Queue(unique("queue"), exchange, routing_key="data.#", exclusive=True)
    received = []
    with Connection(url) as connection:
        producer = Producer(connection)
        callbacks = [lambda body, message: (received.append(body), message.ack())]
        with Consumer(connection, queue, callbacks=callbacks, accept=["json", "yaml"]):
            for serializer in ("json", "yaml"):
                for compression in (None, "zlib", "bzip2"):
                    producer.publish(
                        {"format": serializer, "packed": compression, "list": [1, 2]},
                        exchange=exchange,
                        routing_key=f"data.{serializer}",
                        serializer=serializer,
                        compression=compression,
                        declare=[queue],
                        retry=True,
                    )
            drain(connection, lambda: len(received) == 6)
        delete(connection, exchanges=[exchange.name])
    assert [body["packed"] for body in received] == [None, "zlib", "bzip2"] * 2


@check
def confirms(url):
    """publishes with confirms as a transport option"""
    with Connection(url, transport_options={"confirm_publish": True}) as connection:
        queue = Queue(unique("confirmed"), exclusive=True)
        producer = Producer(connection)
        for number in range(20):
            producer.publish(number, routing_key=queue.name, declare=[queue])
        bound = queue(connection.default_channel)
        assert [bound.get(no_ack=True).payload for _ in range(20)] == list(range(20))
        assert bound.get() is None


@check
def broadcasts(url):
    """broadcasts to every listener"""
    name = unique("broadcast")
    received = {"a": [], "b": []}
    with Connection(url) as connection:
        consumers = []
        for listener, bodies in received.items():
            queue = Broadcast(name, queue=unique(listener), auto_delete=True)
            channel = connection.channel()
            callbacks = [lambda body, _, bodies=bodies: bodies.append(body)]
            consumers.append(Consumer(channel, queue, callbacks=callbacks, no_ack=True))
        for consumer in consumers:
            consumer.consume()
        Producer(connection).publish("to all", exchange=name)
        drain(connection, lambda: all(received.values()))
        for consumer in consumers:
            consumer.cancel()
        delete(connection, exchanges=[name])
    assert received == {"a": ["to all"], "b": ["to all"]}


@check
def changes_prefetch(url):
    """widens the prefetch of a consumer while it works"""
    received = []
    with Connection(url) as connection:
        channel = connection.channel()
        matches = connection.qos_semantics_matches_spec
        queue = Queue(unique("queue"), exclusive=True)
        consumer = Consumer(channel, queue, callbacks=[lambda body, _: received.append(body)])
        consumer.qos(prefetch_count=1, apply_global=not matches)
        consumer.consume()
        for number in range(5):
            Producer(connection).publish(number, routing_key=queue.name)
        drain(connection, lambda: len(received) == 1)
        consumer.qos(prefetch_count=3, apply_global=not matches)
        drain(connection, lambda: len(received) == 3)
        assert received == [0, 1, 2]


@check
def fails_over(url):
    """goes to the next broker of its list when the first is not there"""
    with Connection(["amqp://127.0.0.1:1//", url], failover_strategy="round-robin") as connection:
        connection.ensure_connection(max_retries=3, interval_start=0)
        assert connection.connected
    try:
        Connection("amqp://127.0.0.1:1//").ensure_connection(max_retries=1, interval_start=0)
    except OperationalError:
        pass
    else:
        raise AssertionError("nobody listens there")


@check
def serves_calls(url):
    """serves calls from one mixin, and sends the answers"""
    # A mixin has two connections, so the queues cannot be exclusive.
    queue, answers = Queue(unique("calls"), auto_delete=True), Queue(unique("answers"), auto_delete=True)
    received = []

    class Service(ConsumerProducerMixin):
        def __init__(self, connection):
            self.connection = connection

        def get_consumers(self, Consumer, channel):
            return [
                Consumer(queue, callbacks=[self.on_call]),
                Consumer(answers, callbacks=[self.on_answer]),
            ]

        def on_consume_ready(self, *_, **__):
            for number in (1, 2, 3):
                self.producer.publish(number, routing_key=queue.name, reply_to=answers.name, correlation_id=str(number))

        def on_call(self, body, message):
            properties = message.properties
            correlation_id = properties["correlation_id"]
            self.producer.publish(body * 2, routing_key=properties["reply_to"], correlation_id=correlation_id)
            message.ack()

        def on_answer(self, body, message):
            received.append((message.properties["correlation_id"], body))
            message.ack()
            self.should_stop = len(received) == 3

    with Connection(url) as connection:
        Service(connection).run()
    assert received == [("1", 2), ("2", 4), ("3", 6)]


@check
def inequivalent_queue(url):
    """is refused a queue that exists with other arguments, and goes on"""
    name = unique("queue")
    with Connection(url) as connection:
        Queue(name, channel=connection.channel(), max_length=5).declare()
        try:
            Queue(name, channel=connection.channel(), max_length=6).declare()
        except connection.channel_errors as error:
            assert "inequivalent arg 'x-max-length'" in str(error), error
        else:
            raise AssertionError("the queue was taken")
        delete(connection, [name])


@check
def heartbeats(url):
    """keeps its connection with heartbeats"""
    with Connection(url, heartbeat=2) as connection:
        connection.connect()
        assert connection.get_heartbeat_interval() == 2
        queue = Queue(unique("queue"), exclusive=True)
        queue(connection.default_channel).declare()
        last = connection.connection.bytes_recv
        deadline = time.time() + WAIT
        while connection.connection.bytes_recv < last + 2:
            assert time.time() < deadline, "no heartbeat came"
            try:
                connection.drain_events(timeout=0.2)
            except socket.timeout:
                connection.heartbeat_check()


def delayed_delivery(connection, prefix, queue_type):
    """The exchanges and queues that newer releases of kombu declare for delays: a bit of the delay a level."""
    channel = connection.default_channel
    levels = 28
    final = Exchange(f"{prefix}_delivery", type="topic").bind(channel)
    final.declare()
    for level in range(levels):
        name = f"{prefix}_{level}"
        next_exchange = f"{prefix}_{level - 1}" if level > 0 else final.name
        bits = "*." * (levels - 1 - level)
        exchange = Exchange(name, type="topic").bind(channel)
        exchange.declare()
        arguments = {
            "x-queue-type": queue_type,
            "x-overflow": "reject-publish",
            "x-message-ttl": 2**level * 1000,
            "x-dead-letter-exchange": next_exchange,
        }
        if queue_type == "quorum":
            arguments["x-dead-letter-strategy"] = "at-least-once"
        queue = Queue(name, queue_arguments=arguments).bind(channel)
        queue.declare()
        queue.bind_to(exchange=name, routing_key=f"{bits}1.#")
        channel.exchange_bind(destination=next_exchange, source=name, routing_key=f"{bits}0.#")
    return [f"{prefix}_{level}" for level in range(levels)], final.name


def check_delayed_delivery(url, queue_type):
    prefix = unique("delayed")
    with Connection(url) as connection:
        names, final = delayed_delivery(connection, prefix, queue_type)
        target = Queue(unique("work"), durable=True)(connection.default_channel)
        target.declare()
        target.bind_to(exchange=final, routing_key="#.work.important")
        arrived = []

        def note(body, message):
            arrived.append((body, time.time(), message.delivery_info["routing_key"]))
            message.ack()

        with Consumer(connection.channel(), queues=[target], callbacks=[note]):
            producer = Producer(connection.channel())
            started = time.time()
            for seconds in (3, 1, 2):
                bits = ".".join(f"{seconds:028b}")
                producer.publish(seconds, exchange=names[27], routing_key=f"{bits}.work.important")
            drain(connection, lambda: len(arrived) == 3)
        assert [body for body, _, _ in arrived] == [1, 2, 3], arrived
        for body, at, key in arrived:
            assert at - started >= body - 0.01, f"{body} came after {at - started}"
            assert key.endswith(".work.important"), key
        delete(connection, [*names, target.name], [*names, final])


@check
def delayed_delivery_classic(url):
    """delivers after a delay through 28 classic queues with time to live, dead lettering and topic exchanges"""
    check_delayed_delivery(url, "classic")


@check
def delayed_delivery_quorum(url):
    """delivers after a delay through 28 quorum queues, at least once"""
    check_delayed_delivery(url, "quorum")


if __name__ == "__main__":
    main()
