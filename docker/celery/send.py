"""Sends ten tasks and prints what comes back."""

from tasks import add

results = [add.delay(i, i) for i in range(10)]
print([result.get(timeout=30) for result in results], flush=True)
