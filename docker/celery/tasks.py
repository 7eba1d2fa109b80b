"""What the workers can do. The broker is BROKER_URL's; results come back through it."""

import os

from celery import Celery

app = Celery("tasks", broker=os.environ["BROKER_URL"], backend="rpc://")
# A task that is under way when its worker dies is done again by another one.
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1)


@app.task
def add(x: int, y: int) -> int:
    return x + y
