"""Stands where Slack and PagerDuty stand: takes their real request formats and shows what arrived."""
