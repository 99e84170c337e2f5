"""What a reload changed, in words."""

from pathlib import Path

import pytest

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.configuration_difference import MOST_NAMED, difference
from eldonia_ops.app.loader import load_configuration

PROBE = "probes: [{name: shop, url: 'http://127.0.0.1/'}]\n"


@pytest.fixture
def read(tmp_path: Path):
    def read(settings: str = PROBE, managed: str = "", routing: str = "[{receiver: r}]") -> Configuration:
        file = tmp_path / "eldonia-ops.yml"
        file.write_text(f"alertmanager: {{file: am.yml}}\ndata: {tmp_path}/data\n{settings}")
        (tmp_path / "am.yml").write_text(f"route: {{receiver: r, routes: {routing}}}\nreceivers: [{{name: r}}]\n")
        return load_configuration(file, {"HOME": "/"}, managed=managed)

    return read


def test_entries_are_named_with_what_happened_to_them(read) -> None:
    before = read(PROBE + "logs: [{path: /a.log}]\n")
    assert difference(before, read(PROBE + "logs: [{path: /a.log, service: a}]\n")) == "changed /a.log (logs)"
    oldcert = "probes: [{name: oldcert, url: 'https://127.0.0.1/'}]\n"
    assert difference(before, read(managed=oldcert)) == "added oldcert (probes); removed /a.log (logs)"


def test_receivers_rules_and_tuning_of_the_managed_file_are_named_once(read) -> None:
    slack = "receivers: [{name: slack, slack_configs: [{channel: x, api_url: 'http://127.0.0.1/'}]}]\n"
    assert difference(read(), read(managed=slack)) == "added slack (receivers)"
    tuned = "rules: {defaults: {DiskFull: {for: 1m}}}\n"
    assert difference(read(), read(managed=tuned)) == "added DiskFull (rules.defaults)"
    again = "rules: {defaults: {DiskFull: {for: 2m}}}\n"
    assert difference(read(managed=tuned), read(managed=again)) == "changed DiskFull (rules.defaults)"


def test_what_is_no_entry_is_named_as_a_setting(read) -> None:
    assert difference(read(), read(routing="[{receiver: r, matchers: [a=b]}]")) == "changed routing (settings)"
    assert difference(read(), read(PROBE + "language: ja\n")) == "changed language (settings)"
    assert difference(read(), read(PROBE + "rules: {defaults: false}\n")) == "changed rules (settings)"


def test_many_are_counted(read) -> None:
    many = "".join(f"{{name: p{n}, url: 'http://127.0.0.1/'}}, " for n in range(MOST_NAMED + 2))
    found = difference(read(""), read(f"probes: [{many}]\n")).split("; ")
    assert (len(found), found[-1]) == (MOST_NAMED + 1, "2 more")
