"""Outputs of the log pipeline at work: buffers in memory and files, loops that flush them, receivers."""
