"""Writes the tables of fields in docs/configuration.md from the declarations of the settings."""

from pathlib import Path

from eldonia_ops.settings.tables import with_tables

PAGE = Path(__file__).resolve().parent.parent / "docs/configuration.md"


def main() -> None:
    """Rewrite the page in place."""
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
