"""What Prometheus and its client libraries agree on: names, and the bounds of buckets.

https://prometheus.io/docs/concepts/data_model/
"""

import re
from typing import Final

METRIC_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
"""A name of a metric that needs no quotes."""

LABEL_NAME: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
"""A name of a label that people may give: those that begin with two underscores are Prometheus' own."""

DEFAULT_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets of a histogram that names none, for seconds."""
