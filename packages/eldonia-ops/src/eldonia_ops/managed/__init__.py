"""Changes of a configuration by page or API, as values: what an entry was, what it is, and how that is undone. Pure."""
