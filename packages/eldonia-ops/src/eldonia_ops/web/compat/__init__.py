"""The edge for existing clients: one module a protocol, each with its own error envelope."""
