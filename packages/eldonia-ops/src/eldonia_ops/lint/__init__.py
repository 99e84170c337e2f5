"""One linter over every file that people write."""

from eldonia_ops.lint.check import check_files
from eldonia_ops.lint.report import format_diagnostic, format_report

__all__ = ["check_files", "format_diagnostic", "format_report"]
