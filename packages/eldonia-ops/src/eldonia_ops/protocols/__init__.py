"""Bytes to the model and back, without effects: one module a format or protocol."""
