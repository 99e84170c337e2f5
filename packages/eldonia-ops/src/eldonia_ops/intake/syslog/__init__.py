"""Syslog over TCP: messages in frames of RFC 6587, or over TLS as RFC 5425 has them; and over UDP (RFC 5426).

A message is read as a line of a file is: RFC 5424 and RFC 3164, or any other text. What is complete is stored before
more is read, so a sender waits while the store cannot take it. The protocol has no receipts: what a sender had written
when its connection broke may be lost, as with every syslog server.
"""

from eldonia_ops.intake.syslog.serve import INTAKE

__all__ = ["INTAKE"]
