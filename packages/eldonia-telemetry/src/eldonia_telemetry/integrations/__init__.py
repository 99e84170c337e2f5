"""Connections to the libraries that an application already uses; import the module of the one you need."""
