"""A log pipeline at work: its sources, and what runs their events through it."""
