"""Incidents: moved by alerts and people, and what their first screen shows."""
