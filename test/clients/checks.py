"""What the check programs share: a list of checks, one of which is run by name.

    program --list                    the checks as JSON
    program <check> <broker URL>      runs one; the exit code says whether it held
"""

import json
import sys
import uuid

CHECKS = []


def check(function=None, *, difference=None):
    """Marks a check. Its doc string is the sentence it stands for; a difference keeps it from RabbitMQ 3.10."""

    def add(marked):
        CHECKS.append((marked, difference))
        return marked

    return add if function is None else add(function)


def unique(what):
    """A name nobody else uses."""
    return f"test-{what}-{uuid.uuid4().hex[:12]}"


def main():
    if sys.argv[1] == "--list":
        listed = [
            {"check": function.__name__, "sentence": function.__doc__.strip(), "difference": difference}
            for function, difference in CHECKS
        ]
        print(json.dumps(listed))
        return
    name, url = sys.argv[1:3]
    functions = {function.__name__: function for function, _ in CHECKS}
    functions[name](url)
