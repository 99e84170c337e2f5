"""Takes the place of Slack and PagerDuty: accepts their real request formats and shows what arrived."""
