"""One module a way of restarting things."""
