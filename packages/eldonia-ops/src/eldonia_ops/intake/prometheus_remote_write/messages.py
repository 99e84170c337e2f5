"""``prometheus.WriteRequest`` as protobuf's classes.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/#protobuf-message. No package of ours holds the compiled
messages, so they are declared here. Native histograms are described in
https://github.com/prometheus/prometheus/blob/main/prompb/types.proto.
"""

from typing import Any, Final

from eldonia_ops.protocols.protobuf_messages import Messages, message_class

_MESSAGES: Final[Messages] = {
    "Label": (("name", 1, "string"), ("value", 2, "string")),
    "Sample": (("value", 1, "double"), ("timestamp", 2, "int64")),
    "Exemplar": (("labels", 1, "Label*"), ("value", 2, "double"), ("timestamp", 3, "int64")),
    "BucketSpan": (("offset", 1, "sint32"), ("length", 2, "uint32")),
    # Of the counts that may be integers or floats one of each pair is set.
    "Histogram": (
        ("count_int", 1, "uint64"),
        ("count_float", 2, "double"),
        ("sum", 3, "double"),
        ("schema", 4, "sint32"),
        ("zero_threshold", 5, "double"),
        ("zero_count_int", 6, "uint64"),
        ("zero_count_float", 7, "double"),
        ("negative_spans", 8, "BucketSpan*"),
        ("negative_deltas", 9, "sint64*"),
        ("negative_counts", 10, "double*"),
        ("positive_spans", 11, "BucketSpan*"),
        ("positive_deltas", 12, "sint64*"),
        ("positive_counts", 13, "double*"),
        ("reset_hint", 14, "enum"),
        ("timestamp", 15, "int64"),
        ("custom_values", 16, "double*"),
    ),
    "TimeSeries": (
        ("labels", 1, "Label*"),
        ("samples", 2, "Sample*"),
        ("exemplars", 3, "Exemplar*"),
        ("histograms", 4, "Histogram*"),
    ),
    "MetricMetadata": (
        ("type", 1, "enum"),
        ("metric_family_name", 2, "string"),
        ("help", 4, "string"),
        ("unit", 5, "string"),
    ),
    "WriteRequest": (("timeseries", 1, "TimeSeries*"), ("metadata", 3, "MetricMetadata*")),
}

WriteRequest: Final[Any] = message_class("prometheus", _MESSAGES, "WriteRequest")
"""The message of one request."""
