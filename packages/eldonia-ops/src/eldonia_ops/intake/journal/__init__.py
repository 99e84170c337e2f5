"""Entries of journald as ``systemd-journal-upload`` sends them: ``POST /upload`` in the export format.

The answer, 202, means that all entries are stored. Of a request that broke off those that were read are stored; what
is sent again is stored once.

Source: https://systemd.io/JOURNAL_EXPORT_FORMATS/ and systemd-journal-remote(8)
"""

from eldonia_ops.intake.journal.routes import INTAKE

__all__ = ["INTAKE"]
