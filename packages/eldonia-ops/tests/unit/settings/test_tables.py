"""The tables of fields in the documentation."""

import pytest

from eldonia_ops.settings.tables import field_tables, with_tables


def test_every_field_has_a_row_with_default_and_bounds() -> None:
    tables = dict(field_tables())
    assert "| `interval` | `15s` | duration from 1s | Time from one reading to the next. |" in tables["host"]
    assert "| `basic_auth.username` |  | text; required |" in tables["scrape"]
    assert "| `delay` | `30s` |" in tables["recovery"]
    assert "| `brute_force_attempt` | 10 | 5m | 10m | high |" in tables["security.windows"]
    assert {"top", "incidents.escalation", "recovery.action.process", "recovery.action.webhook"} <= set(tables)


def test_a_document_without_a_section_is_refused() -> None:
    page = "".join(f"<!-- fields: {name} -->\nstale text\n<!-- end -->\n" for name in dict(field_tables()))
    written = with_tables(page)
    assert "stale text" not in written
    assert with_tables(written) == written
    with pytest.raises(ValueError, match="host"):
        with_tables(page.replace("<!-- fields: host -->\nstale text\n<!-- end -->\n", ""))
    with pytest.raises(ValueError, match="hots"):
        with_tables(page.replace("fields: host", "fields: hots"))
