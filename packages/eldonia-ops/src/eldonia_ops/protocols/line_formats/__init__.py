"""Forms of log lines that are recognised without asking, one module each.

A module has ``NAME``, by which people see the form, and ``read(text, now_ns)``, which gives the line or None. The text
stays the message as it is, so that nothing is lost and it can be found as it was written.
"""
