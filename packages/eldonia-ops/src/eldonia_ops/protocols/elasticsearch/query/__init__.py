"""Elasticsearch's search: its query language, requests and answers, over our trees of a search.

Pure: :mod:`~eldonia_ops.protocols.elasticsearch.query.dsl` turns the query of a request into a tree and a score. Source
of the formats: Elasticsearch's reference, "Query DSL" and "Search APIs"; what differs is in
``docs/elasticsearch-queries.md``.
"""
