"""The native API, ``/api/ops/v1``: what the pages and the command line read and do."""
