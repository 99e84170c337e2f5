"""Elasticsearch's API: documents, searches, and the catalog of indices."""
