"""Aggregations: buckets within buckets with metrics, read from a request and written into an answer.

A level of buckets is one :class:`~eldonia_ops.search.buckets.BucketRequest`; the metrics of a bucket are measures of
its level. Source: Elasticsearch's reference, "Aggregations".
"""
