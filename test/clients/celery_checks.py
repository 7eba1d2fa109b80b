"""What a program that sends tasks expects of Celery, with a worker running."""

import threading
import time

from celery_app import (
    LOG,
    PREFIX,
    QUEUES,
    add,
    app,
    at,
    fail,
    feed,
    flaky,
    render,
    resize_image,
    send_email,
    sum_of_squares,
    three_steps,
)
from celery.exceptions import TaskRevokedError
from celery.result import ResultSet

from checks import check, main

WAIT = 30


def wait_for_note(line):
    """Waits until a task has noted the line."""
    deadline = time.time() + WAIT
    while time.time() < deadline:
        with open(LOG, encoding="utf-8") as log:
            if line in log.read().splitlines():
                return
        time.sleep(0.02)
    raise AssertionError(f"nobody noted '{line}'")


@check
def returns_a_result(_):
    """returns the result of a task"""
    assert add.delay(1, 3).get(timeout=WAIT) == 4


@check
def returns_many_results(_):
    """returns the results of many tasks, each to its own call"""
    results = ResultSet([add.delay(index, 1000) for index in range(100)])
    assert results.get(timeout=WAIT) == [1000 + index for index in range(100)]


@check
def returns_an_error(_):
    """returns the error of a task"""
    try:
        fail.delay("on purpose").get(timeout=WAIT)
    except ValueError as error:
        assert str(error) == "on purpose"
    else:
        raise AssertionError("no error came")


@check
def routes_by_direct_exchange(_):
    """routes tasks to queues by the keys of a direct exchange"""
    assert send_email.delay("a@b.c").get(timeout=WAIT) == "email"
    assert resize_image.delay("cat.png").get(timeout=WAIT) == "image"


@check
def routes_by_topic_exchange(_):
    """routes tasks to queues by the patterns of a topic exchange"""
    assert feed.delay("news").get(timeout=WAIT) == "task.feed.import"
    assert render.delay("home").get(timeout=WAIT) == "web.page"
    routed = feed.apply_async(args=("sport",), routing_key="task.feed.sport.football")
    assert routed.get(timeout=WAIT) == "task.feed.sport.football"


@check
def groups(_):
    """gathers the results of a group"""
    assert sum_of_squares(20).apply_async().get(timeout=WAIT) == [2 * index for index in range(20)]


@check
def chains(_):
    """hands each result of a chain to the next task"""
    assert three_steps().apply_async().get(timeout=WAIT) == 10


@check
def calls_back(_):
    """calls a task with the result of another"""
    assert add.apply_async((2, 2), link=add.s(100)).get(timeout=WAIT) == 4
    wait_for_note("add 4 100")


@check
def retries(_):
    """retries a task with a countdown until it succeeds"""
    assert flaky.delay("three times").get(timeout=WAIT) == 2


@check
def waits_for_the_eta(_):
    """runs a task when its time has come, not before"""
    due = time.time() + 1
    later = at.apply_async((due,), countdown=1)
    assert add.delay(0, 0).get(timeout=WAIT) == 0
    late = later.get(timeout=WAIT)
    assert late >= -0.1, late


@check
def many_etas(_):
    """holds more waiting tasks than it may prefetch, and runs others meanwhile"""
    due = time.time() + 2
    waiting = [at.apply_async((due,), countdown=2) for _ in range(30)]
    assert add.delay(1, 1).get(timeout=WAIT) == 2
    for result in waiting:
        assert result.get(timeout=WAIT) >= -0.1


@check
def expires(_):
    """drops a task that nobody ran in time"""
    result = add.apply_async((1, 1), countdown=0.5, expires=0.1)
    try:
        result.get(timeout=WAIT)
    except TaskRevokedError:
        pass
    else:
        raise AssertionError("the task ran")


def consumed_queues():
    """The names of the queues that the worker says it consumes from."""
    replies = app.control.inspect(timeout=5, limit=1).active_queues()
    (queues,) = replies.values()
    return {queue["name"] for queue in queues}


def wait_for_consumer(name, there):
    """Waits for what a worker was told: it answers first, and declares or cancels after that."""
    deadline = time.time() + WAIT
    while (name in consumed_queues()) != there:
        assert time.time() < deadline, f"the worker did not do as told with {name}"


@check
def answers_ping(_):
    """answers a ping by remote control"""
    replies = app.control.inspect(timeout=5, limit=1).ping()
    assert list(replies.values()) == [{"ok": "pong"}], replies


@check
def lists_queues(_):
    """lists the queues it consumes from by remote control"""
    names = consumed_queues()
    assert {QUEUES[name].name for name in ("default", "email", "image", "task", "web")} <= names, names


@check
def adds_a_consumer(_):
    """starts and stops consuming from a queue by remote control"""
    name = f"{PREFIX}.extra"
    app.control.add_consumer(name, exchange=name, routing_key=name, reply=True, timeout=5, limit=1)
    wait_for_consumer(name, there=True)
    assert add.apply_async((5, 5), exchange=name, routing_key=name).get(timeout=WAIT) == 10
    (reply,) = app.control.cancel_consumer(name, reply=True, timeout=5, limit=1)
    assert "no longer consuming" in str(reply), reply
    wait_for_consumer(name, there=False)
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        channel.queue_delete(name)
        channel.exchange_delete(name)


@check
def revokes(_):
    """revokes a task that waits for its time"""
    result = add.apply_async((1, 1), countdown=3)
    assert app.control.revoke(result.id, reply=True, timeout=5, limit=1)
    try:
        result.get(timeout=WAIT)
    except TaskRevokedError:
        pass
    else:
        raise AssertionError("the task ran")


@check
def sends_events(_):
    """tells the life of a task in events"""
    task_id = f"{PREFIX}-known-before-it-is-sent"
    due = {"task-sent", "task-received", "task-started", "task-succeeded"}
    seen, ready = [], threading.Event()

    def capture():
        with app.connection_for_read() as connection:

            def on_event(event):
                if event.get("uuid") == task_id:
                    seen.append(event["type"])
                    receiver.should_stop = due <= set(seen)

            def on_consume_ready(*_, **__):
                ready.set()

            receiver = app.events.Receiver(connection, handlers={"*": on_event})
            receiver.on_consume_ready = on_consume_ready
            receiver.capture(timeout=WAIT)

    thread = threading.Thread(target=capture, daemon=True)
    thread.start()
    assert ready.wait(WAIT)
    add.apply_async((7, 7), task_id=task_id).get(timeout=WAIT)
    thread.join(WAIT)
    assert due <= set(seen), seen


if __name__ == "__main__":
    main()
