"""A plug-in for Eldonia Ops: one module for each thing that it adds."""
