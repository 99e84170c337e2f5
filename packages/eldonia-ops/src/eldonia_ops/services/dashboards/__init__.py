"""Dashboards: saved in versions, and all that their panels ask."""
