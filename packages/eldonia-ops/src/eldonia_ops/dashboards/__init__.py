"""Dashboards as values: the document, what is wrong with one, layout, variables, and what a query becomes.

Everything here is pure. Files are read in :mod:`eldonia_ops.protocols.dashboard_file`, Grafana's JSON in
:mod:`eldonia_ops.protocols.grafana`; queries are run by :mod:`eldonia_ops.services.dashboards.dashboards`.
"""
