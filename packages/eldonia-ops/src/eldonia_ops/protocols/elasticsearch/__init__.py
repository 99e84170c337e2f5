"""Elasticsearch's API as values: bodies, names and errors, without HTTP.

A document is a :class:`~eldonia_ops.model.logs.LogRecord` (:mod:`.documents`), a field of a query is one of the
record's fields or an attribute (:mod:`.fields`), and what is wrong is an :class:`~.errors.ElasticsearchError`.
"""
