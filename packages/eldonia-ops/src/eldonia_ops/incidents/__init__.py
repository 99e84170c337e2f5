"""The life of an incident: response targets, escalation, runbook, timeline, postmortem."""
