"""Availability objectives, error budgets, burn-rate alerts."""
