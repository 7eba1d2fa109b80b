"""pika's BlockingConnection and what its users lean on."""

import hashlib
import os
from contextlib import contextmanager

import pika
from pika.exceptions import (
    ChannelClosedByBroker,
    NackError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    UnroutableError,
)
from pika.exchange_type import ExchangeType

from checks import check, main, unique


@contextmanager
def connection(url, **overrides):
    parameters = pika.URLParameters(url)
    for name, value in overrides.items():
        setattr(parameters, name, value)
    opened = pika.BlockingConnection(parameters)
    try:
        yield opened
    finally:
        if opened.is_open:
            opened.close()


@contextmanager
def channel(url):
    with connection(url) as opened:
        yield opened.channel()


@contextmanager
def refused(code, text=""):
    """The block must end with the broker closing the channel."""
    try:
        yield
    except ChannelClosedByBroker as closed:
        assert closed.reply_code == code, closed
        assert text in closed.reply_text, closed
    else:
        raise AssertionError(f"nothing was refused, {code} {text} was due")


def own_queue(ch, **arguments):
    return ch.queue_declare("", exclusive=True, arguments=arguments or None).method.queue


def send(ch, queue, *bodies):
    for body in bodies:
        ch.basic_publish("", queue, body)


def drain(ch, queue):
    bodies = []
    while True:
        method, _, body = ch.basic_get(queue, auto_ack=True)
        if method is None:
            return bodies
        bodies.append(body.decode())


def ready(ch, queue):
    return ch.queue_declare(queue, passive=True).method.message_count


@check
def connects_with_defaults(url):
    """connects with the defaults of a URL and takes the broker's heartbeat"""
    with connection(url) as opened:
        assert opened.is_open
        properties = opened._impl.server_properties
        assert properties["product"] and properties["version"]
        assert opened.basic_nack_supported and opened.consumer_cancel_notify_supported
        assert opened.exchange_exchange_bindings_supported and opened.publisher_confirms_supported


@check
def unknown_vhost(url):
    """is told that a virtual host is closed to it"""
    try:
        with connection(url, virtual_host="nowhere"):
            raise AssertionError("the virtual host exists")
    except ProbableAccessDeniedError as error:
        assert "NOT_ALLOWED - vhost nowhere not found" in str(error), error


@check
def wrong_password(url):
    """is told that its password is wrong"""
    try:
        with connection(url, credentials=pika.PlainCredentials("guest", "wrong")):
            raise AssertionError("the password was taken")
    except ProbableAuthenticationError as error:
        assert "ACCESS_REFUSED - Login was refused" in str(error), error


if hasattr(pika.BlockingConnection, "update_secret"):

    @check
    def update_secret(url):
        """changes its secret in an open connection"""
        with connection(url) as opened:
            opened.update_secret("new secret", "rotation")
            opened.channel()


@check(difference="unknown exchange type")
def unknown_exchange_type(url):
    """loses a channel, not the connection, to an unknown exchange type"""
    with connection(url) as opened:
        with refused(406, "unknown exchange type 'spiral'"):
            opened.channel().exchange_declare(unique("exchange"), "spiral")
        opened.channel()


@check
def inequivalent_declarations(url):
    """loses a channel to a declaration that does not fit what is there"""
    with connection(url) as opened:
        name = unique("name")
        ch = opened.channel()
        ch.exchange_declare(name, ExchangeType.direct, auto_delete=True)
        with refused(406, f"inequivalent arg 'type' for exchange '{name}'"):
            opened.channel().exchange_declare(name, ExchangeType.fanout, auto_delete=True)
        ch.exchange_delete(name)
        ch.queue_declare(name, auto_delete=True)
        with refused(406, f"inequivalent arg 'durable' for queue '{name}'"):
            opened.channel().queue_declare(name, durable=True, auto_delete=True)
        ch.queue_delete(name)


@check
def missing_things(url):
    """loses a channel to what is not there"""
    with connection(url) as opened:
        name = unique("missing")
        with refused(404, f"no queue '{name}'"):
            opened.channel().queue_declare(name, passive=True)
        with refused(404, f"no queue '{name}'"):
            opened.channel().basic_get(name)
        with refused(404, f"no queue '{name}'"):
            opened.channel().basic_consume(name, lambda *_: None)
        with refused(404, f"no queue '{name}'"):
            opened.channel().queue_purge(name)
        with refused(404, f"no exchange '{name}'"):
            opened.channel().exchange_declare(name, passive=True)
        ch = opened.channel()
        ch.basic_publish(name, "", b"x")
        with refused(404, f"no exchange '{name}'"):
            ch.basic_qos(prefetch_count=1)


@check
def deleting_missing_things(url):
    """deletes what is not there without an error"""
    with channel(url) as ch:
        assert ch.queue_delete(unique("missing")).method.message_count == 0
        ch.exchange_delete(unique("missing"))


@check
def queue_flags(url):
    """declares queues that expire, delete themselves or belong to it alone"""
    with connection(url) as opened:
        ch = opened.channel()
        own_queue(ch, **{"x-expires": 60000})
        name = unique("auto-delete")
        ch.queue_declare(name, auto_delete=True)
        tag = ch.basic_consume(name, lambda *_: None)
        ch.basic_cancel(tag)
        with refused(404):
            opened.channel().queue_declare(name, passive=True)
        exclusive = own_queue(ch)
        with channel(url) as other:
            with refused(405, "RESOURCE_LOCKED"):
                other.queue_declare(exclusive, passive=True)


@check
def exchange_bindings(url):
    """sends a message through two exchanges, until they are unbound"""
    with channel(url) as ch:
        source, destination = unique("source"), unique("destination")
        for exchange in (source, destination):
            ch.exchange_declare(exchange, ExchangeType.direct)
        queue = own_queue(ch)
        ch.queue_bind(queue, destination, "key")
        ch.exchange_bind(destination, source, "key")
        ch.basic_publish(source, "key", b"through")
        assert drain(ch, queue) == ["through"]
        ch.exchange_unbind(destination, source, "key")
        ch.basic_publish(source, "key", b"nowhere")
        assert drain(ch, queue) == []
        for exchange in (source, destination):
            ch.exchange_delete(exchange)


@check
def bind_purge_and_count(url):
    """counts and purges what its bindings let in"""
    with channel(url) as ch:
        ch.confirm_delivery()
        queue, key = own_queue(ch), unique("key")
        ch.queue_bind(queue, "amq.direct", key)
        for _ in range(3):
            ch.basic_publish("amq.direct", key, b"x")
        assert ready(ch, queue) == 3
        assert ch.queue_purge(queue).method.message_count == 3
        assert ready(ch, queue) == 0
        ch.queue_unbind(queue, "amq.direct", key)
        ch.basic_publish("amq.direct", key, b"x")
        assert ready(ch, queue) == 0


@check
def get_and_settle(url):
    """gets messages and acks, rejects and nacks them, one or many"""
    with connection(url) as opened:
        ch = opened.channel()
        queue = own_queue(ch)
        assert ch.basic_get(queue) == (None, None, None)
        send(ch, queue, "1", "2", "3", "4", "5")
        tags = []
        for expected in ("1", "2", "3", "4", "5"):
            method, _, body = ch.basic_get(queue)
            assert (body.decode(), method.redelivered) == (expected, False)
            tags.append(method.delivery_tag)
        ch.basic_ack(tags[0])
        ch.basic_reject(tags[1], requeue=True)
        ch.basic_reject(tags[2], requeue=False)
        ch.basic_nack(tags[4], multiple=True, requeue=True)
        method, _, body = ch.basic_get(queue)
        assert (body, method.redelivered) == (b"2", True)
        ch.basic_recover(requeue=True)
        assert drain(ch, queue) == ["2", "4", "5"]


@check
def unknown_tag(url):
    """loses a channel to an unknown delivery tag"""
    with channel(url) as ch:
        ch.basic_ack(42)
        with refused(406, "unknown delivery tag 42"):
            ch.basic_qos(prefetch_count=1)


@check
def transactions(url):
    """commits and rolls back publishes and acknowledgements"""
    with connection(url) as opened:
        ch, watcher = opened.channel(), opened.channel()
        queue = own_queue(ch)
        ch.tx_select()
        send(ch, queue, "lost")
        ch.tx_rollback()
        send(ch, queue, "kept")
        assert ready(watcher, queue) == 0
        ch.tx_commit()
        assert ready(watcher, queue) == 1
        method, _, _ = ch.basic_get(queue)
        ch.basic_ack(method.delivery_tag)
        ch.tx_rollback()
        ch.basic_reject(method.delivery_tag, requeue=True)
        ch.tx_commit()
        assert drain(watcher, queue) == ["kept"]


@check
def commit_without_transaction(url):
    """loses a channel to a commit without a transaction"""
    with channel(url) as ch:
        with refused(406, "channel is not transactional"):
            ch.tx_commit()


@check
def confirmed_publishing(url):
    """waits for the confirm of every message, and hears of those nobody takes"""
    with channel(url) as ch:
        ch.confirm_delivery()
        queue = own_queue(ch)
        for index in range(50):
            persistent = pika.BasicProperties(delivery_mode=1 + index % 2)
            ch.basic_publish("", queue, str(index), properties=persistent, mandatory=True)
        ch.basic_publish("amq.direct", unique("nobody"), b"dropped")
        try:
            ch.basic_publish("", unique("nobody"), b"returned", mandatory=True)
        except UnroutableError as error:
            (returned,) = error.messages
            assert (returned.method.reply_code, returned.method.reply_text) == (312, "NO_ROUTE")
            assert returned.body == b"returned"
        else:
            raise AssertionError("nothing came back")
        assert drain(ch, queue) == [str(index) for index in range(50)]


@check
def refused_publishing(url):
    """hears that a full queue refused its message"""
    with channel(url) as ch:
        ch.confirm_delivery()
        queue = own_queue(ch, **{"x-max-length": 1, "x-overflow": "reject-publish"})
        ch.basic_publish("", queue, b"kept")
        try:
            ch.basic_publish("", queue, b"refused")
        except NackError as error:
            assert [message.body for message in error.messages] in ([], [b"refused"])
        else:
            raise AssertionError("the full queue took it")
        assert drain(ch, queue) == ["kept"]


@check
def returned_messages(url):
    """gets unroutable messages back without confirms"""
    with connection(url) as opened:
        ch = opened.channel()
        returned = []
        ch.add_on_return_callback(lambda _, method, __, body: returned.append((method.reply_code, body)))
        ch.basic_publish("", unique("nobody"), b"back", mandatory=True)
        while not returned:
            opened.process_data_events(time_limit=0.1)
        assert returned == [(312, b"back")]


@check
def prefetch_of_two_consumers(url):
    """gives each consumer of a channel one message at a time"""
    with connection(url) as opened:
        ch = opened.channel()
        ch.basic_qos(prefetch_count=1)
        queue = own_queue(ch)
        received = {"a": [], "b": []}

        def receiver(tag):
            return lambda _, method, __, body: received[tag].append((method.delivery_tag, body.decode()))

        for tag in received:
            ch.basic_consume(queue, receiver(tag), consumer_tag=tag)
        send(ch, queue, "1", "2", "3", "4")
        while not (received["a"] and received["b"]):
            opened.process_data_events(time_limit=0.1)
        opened.process_data_events(time_limit=0)
        assert [len(messages) for messages in received.values()] == [1, 1], received
        ch.basic_ack(received["a"][0][0])
        while len(received["a"]) < 2:
            opened.process_data_events(time_limit=0.1)
        assert len(received["b"]) == 1, received


@check
def consuming_generator(url):
    """iterates over a queue, and leaves the rest there"""
    with connection(url) as opened:
        ch = opened.channel()
        ch.basic_qos(prefetch_count=3)
        queue = own_queue(ch)
        send(ch, queue, *(str(index) for index in range(10)))
        bodies = []
        for method, _, body in ch.consume(queue, inactivity_timeout=30):
            assert method is not None, "nothing came"
            bodies.append(body.decode())
            ch.basic_ack(method.delivery_tag)
            if len(bodies) == 4:
                break
        ch.cancel()
        assert bodies == ["0", "1", "2", "3"]
        assert drain(ch, queue) == [str(index) for index in range(4, 10)]


@check
def generated_consumer_tag(url):
    """names its consumers itself, or lets them be named"""
    with channel(url) as ch:
        queue = own_queue(ch)
        assert ch.basic_consume(queue, lambda *_: None, consumer_tag="mine") == "mine"
        assert ch.basic_consume(queue, lambda *_: None).startswith("ctag")


@check
def big_messages(url):
    """sends and gets a message of many megabytes"""
    with channel(url) as ch:
        ch.confirm_delivery()
        queue = own_queue(ch)
        body = os.urandom(8_000_000)
        ch.basic_publish("", queue, body)
        _, _, received = ch.basic_get(queue, auto_ack=True)
        assert hashlib.sha256(received).digest() == hashlib.sha256(body).digest()


@check
def many_messages(url):
    """sends and gets thousands of messages in order"""
    with connection(url) as opened:
        ch = opened.channel()
        queue = own_queue(ch)
        bodies = [str(index) for index in range(5000)]
        send(ch, queue, *bodies)
        received = []
        ch.basic_consume(queue, lambda _, __, ___, body: received.append(body.decode()), auto_ack=True)
        while len(received) < len(bodies):
            opened.process_data_events(time_limit=0.1)
        assert received == bodies


@check
def cancelled_by_the_broker(url):
    """hears that its consumer went with the queue"""
    with connection(url) as opened:
        ch, other = opened.channel(), opened.channel()
        queue = own_queue(ch)
        cancelled = []
        ch.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
        tag = ch.basic_consume(queue, lambda *_: None)
        other.queue_delete(queue)
        while not cancelled:
            opened.process_data_events(time_limit=0.1)
        assert cancelled == [tag]


@check
def generator_cancelled_by_the_broker(url):
    """ends its iteration when the queue is deleted"""
    with connection(url) as opened:
        ch, other = opened.channel(), opened.channel()
        queue = own_queue(ch)
        send(ch, queue, "only")
        bodies = []
        for _, _, body in ch.consume(queue, auto_ack=True):
            bodies.append(body)
            other.queue_delete(queue)
        assert bodies == [b"only"]


@check
def unacked_on_channel_close(url):
    """leaves what it did not acknowledge to the next channel, and takes the rest with it"""
    with connection(url) as opened:
        keeper = opened.channel()
        queue = own_queue(keeper)
        for auto_ack, left in ((False, ["1", "2"]), (True, [])):
            send(keeper, queue, "1", "2")
            ch = opened.channel()
            received = []
            ch.basic_consume(queue, lambda *_: received.append(1), auto_ack=auto_ack)
            while len(received) < 2:
                opened.process_data_events(time_limit=0.1)
            ch.close()
            assert drain(keeper, queue) == left


@check
def flow(url):
    """may ask for flow"""
    with channel(url) as ch:
        assert ch.flow(True) is True


@check
def properties(url):
    """gets all properties back as they were"""
    with channel(url) as ch:
        queue = own_queue(ch)
        sent = pika.BasicProperties(
            content_type="text/plain",
            content_encoding="utf-8",
            headers={"int": 1, "list": [1, "a"], "nested": {"none": None, "true": True}},
            delivery_mode=2,
            priority=1,
            correlation_id="c",
            reply_to="r",
            expiration="60000",
            message_id="m",
            timestamp=1_700_000_000,
            type="t",
            user_id="guest",
            app_id="a",
        )
        ch.basic_publish("", queue, b"x", sent)
        _, received, _ = ch.basic_get(queue, auto_ack=True)
        assert received == sent, received


@check
def every_exchange_type(url):
    """declares every type of exchange its enumeration names"""
    with channel(url) as ch:
        for exchange_type in ExchangeType:
            name = unique(exchange_type.value)
            ch.exchange_declare(name, exchange_type, durable=True)
            ch.exchange_declare(name, passive=True)
            ch.exchange_delete(name)


@check
def channel_after_error(url):
    """opens new channels after one was closed"""
    with connection(url) as opened:
        for _ in range(20):
            with refused(404):
                opened.channel().queue_declare(unique("missing"), passive=True)
        assert opened.channel().is_open


if __name__ == "__main__":
    main()
