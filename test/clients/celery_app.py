"""A Celery application as users write them: tasks on several queues, over a direct and a topic exchange.

Every run of a task appends a line to the file TASK_LOG, so that the tests can count them. All names begin with
TASK_PREFIX, so that two suites on one broker do not meet.
"""

import os
import time

from celery import Celery, chain, group
from kombu import Exchange, Queue

PREFIX = os.environ.get("TASK_PREFIX", "test")
LOG = os.environ.get("TASK_LOG", os.devnull)
GATE = os.environ.get("TASK_GATE", os.devnull)

app = Celery("celery_app", broker=os.environ.get("TASK_BROKER", "amqp://"), backend="rpc://")

direct = Exchange(f"{PREFIX}.direct", type="direct")
topic = Exchange(f"{PREFIX}.tasks", type="topic")


def queue(name, **options):
    return Queue(f"{PREFIX}.{name}", **options)


QUEUES = {
    "default": queue("default", exchange=direct, routing_key="default"),
    "email": queue("email", exchange=direct, routing_key="email"),
    "image": queue("image", exchange=direct, routing_key="image"),
    "task": queue("task", exchange=topic, routing_key="task.#"),
    "web": queue("web", exchange=topic, routing_key="web.#"),
    "urgent": queue("urgent", exchange=direct, routing_key="urgent", queue_arguments={"x-max-priority": 10}),
    "late": queue("late", exchange=direct, routing_key="late"),
    "beat": queue("beat", exchange=direct, routing_key="beat"),
}

app.conf.update(
    task_queues=list(QUEUES.values()),
    task_default_queue=f"{PREFIX}.default",
    task_default_exchange=direct.name,
    task_default_routing_key="default",
    task_routes={
        "celery_app.send_email": {"exchange": direct.name, "routing_key": "email"},
        "celery_app.resize_image": {"exchange": direct.name, "routing_key": "image"},
        "celery_app.feed": {"exchange": topic.name, "exchange_type": "topic", "routing_key": "task.feed.import"},
        "celery_app.render": {"exchange": topic.name, "exchange_type": "topic", "routing_key": "web.page"},
        "celery_app.ordered": {"queue": QUEUES["urgent"].name},
        "celery_app.long_task": {"queue": QUEUES["late"].name},
        "celery_app.tick": {"queue": QUEUES["beat"].name},
    },
    control_exchange=f"{PREFIX}.control",
    event_exchange=f"{PREFIX}.event",
    task_send_sent_event=True,
    worker_send_task_events=True,
    broker_connection_retry=True,
    broker_heartbeat=10,
    beat_schedule={"tick": {"task": "celery_app.tick", "schedule": 1.0}},
)


def note(*words):
    """Appends a line; short lines appended by several processes do not mix."""
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(" ".join(str(word) for word in words) + "\n")


@app.task
def add(x, y):
    note("add", x, y)
    return x + y


@app.task
def send_email(address):
    note("send_email", address)
    return send_email.request.delivery_info["routing_key"]


@app.task
def resize_image(name):
    note("resize_image", name)
    return resize_image.request.delivery_info["routing_key"]


@app.task
def feed(name):
    note("feed", name)
    return feed.request.delivery_info["routing_key"]


@app.task
def render(name):
    note("render", name)
    return render.request.delivery_info["routing_key"]


@app.task(bind=True, max_retries=3)
def flaky(self, name):
    note("flaky", name, self.request.retries)
    if self.request.retries < 2:
        raise self.retry(countdown=0.2)
    return self.request.retries


@app.task
def fail(text):
    note("fail", text)
    raise ValueError(text)


@app.task
def at(due):
    note("at", due)
    return time.time() - due


@app.task(ignore_result=True)
def ordered(name):
    note("ordered", name)


@app.task(acks_late=True, ignore_result=True)
def long_task(name):
    """Stops in mid-task until the gate is open."""
    note("began", name, os.getpid())
    while not os.path.exists(GATE):
        time.sleep(0.02)
    note("ended", name)
    return name


@app.task(ignore_result=True)
def tick():
    note("tick")


def sum_of_squares(count):
    return group(add.s(index, index) for index in range(count))


def three_steps():
    return chain(add.s(1, 2), add.s(3), add.s(4))
