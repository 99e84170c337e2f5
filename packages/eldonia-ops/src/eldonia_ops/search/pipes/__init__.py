"""The stages behind a search: read, checked, printed, and what they mean."""
