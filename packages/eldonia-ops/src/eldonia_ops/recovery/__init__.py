"""Automatic recovery: policy, attempts, verification."""
