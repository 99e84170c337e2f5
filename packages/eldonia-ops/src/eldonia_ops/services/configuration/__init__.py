"""The configuration that pages and API change."""
