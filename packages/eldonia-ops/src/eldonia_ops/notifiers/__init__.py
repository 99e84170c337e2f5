"""Ways to notify people: one folder each."""
