"""Reads metrics as Prometheus's own Python client does and prints how many samples there are; fails where a rule is broken."""

import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

ALLOWED_ENDINGS = {
    "counter": ("", "_total", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
}


def check_histogram(family):
    series = {}
    for sample in family.samples:
        labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
        parts = series.setdefault(labels, {"buckets": [], "count": None})
        if sample.name.endswith("_bucket"):
            parts["buckets"].append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_count"):
            parts["count"] = sample.value
    for labels, parts in series.items():
        buckets = parts["buckets"]
        assert buckets == sorted(buckets), f"{family.name}{labels}: buckets fall"
        assert [value for _, value in buckets] == sorted(value for _, value in buckets), f"{family.name}{labels}: not cumulative"
        assert buckets[-1] == (float("inf"), parts["count"]), f"{family.name}{labels}: +Inf is not the count"


def check(url):
    with urllib.request.urlopen(url) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), answer.headers["Content-Type"]
        text = answer.read().decode()
    seen, names = set(), set()
    for family in text_string_to_metric_families(text):
        # The parser takes _total from the names of counters, whose family may have a gauge beside it.
        name = (family.name, family.type)
        assert name not in names, f"{name} is told of twice"
        names.add(name)
        assert family.documentation, f"{family.name} has no help"
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in seen, f"{key} is there twice"
            seen.add(key)
            endings = ALLOWED_ENDINGS.get(family.type, ("",))
            assert any(sample.name == family.name + ending for ending in endings), f"{sample.name} is in {family.name}"
        if family.type == "histogram":
            check_histogram(family)
    print(len(seen))


check(sys.argv[1])
