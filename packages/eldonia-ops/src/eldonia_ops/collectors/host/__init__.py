"""This host itself."""
