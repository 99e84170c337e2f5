"""Log files that are followed."""
