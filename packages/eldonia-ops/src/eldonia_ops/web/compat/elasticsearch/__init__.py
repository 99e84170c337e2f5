"""Elasticsearch's API over our logs: at its usual addresses on a listener of its own, and below ``/elasticsearch``.

What is answered to what is in ``docs/elasticsearch.md``.
"""

from eldonia_ops.web.compat.elasticsearch.answers import PREFIX, envelope
from eldonia_ops.web.compat.elasticsearch.host import ElasticsearchHost
from eldonia_ops.web.compat.elasticsearch.routes import routes

__all__ = ["PREFIX", "ElasticsearchHost", "envelope", "routes"]
