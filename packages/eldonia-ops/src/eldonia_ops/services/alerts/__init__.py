"""The path of every alert, from a client or a rule to its group."""
