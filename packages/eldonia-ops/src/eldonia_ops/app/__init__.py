"""The composition root: settings in, a running platform out. The only place that sees everything."""
