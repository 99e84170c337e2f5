"""The loops: they hold the clocks, commit state and effects together, and perform the effects."""
