"""Lines and objects of loggers to records."""
