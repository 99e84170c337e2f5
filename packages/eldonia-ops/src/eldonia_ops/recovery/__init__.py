"""Automatic recovery: restart what may be restarted, verify that it helped, and know when to stop."""
