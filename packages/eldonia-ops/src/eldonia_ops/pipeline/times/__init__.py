"""Times as Ruby's ``strptime`` and ``strftime`` read and write them, and zones by name or offset."""
