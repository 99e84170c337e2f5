"""Receivers that are written outside of a routing file, in the form of one, each with the alerts that it wants.

.. code-block:: yaml

    receivers:
      - name: database-team
        matching: {severity: [critical, warning], team: [database]}
        slack_configs: [{api_url_file: secrets/..., channel: '#db'}]

``matching`` names labels with the values that they may have; without it the receiver wants every alert.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from eldonia_ops.alerting.additions import AddedReceiver
from eldonia_ops.alerting.receivers import Receiver
from eldonia_ops.model.errors import Level
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.protocols.alertmanager.receivers import ReceiverReader
from eldonia_ops.protocols.secret_keys import conceal_values
from eldonia_ops.protocols.yaml_document import MappingReader, Problems, YamlNode, mapping_of

MATCHING: Final = "matching"
_LABEL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Added:
    """Receivers as they are written. ``in_place``: they take the place of those that cannot be notified."""

    receivers: tuple[YamlNode, ...] = ()
    in_place: bool = False


NOTHING_ADDED: Final = Added()


def read_added(
    added: Added, reader: ReceiverReader, written: Mapping[str, Receiver], problems: Problems
) -> list[AddedReceiver]:
    """The added receivers. One whose name the routing file has too is left out, with a warning."""
    found: list[AddedReceiver] = []
    for node in added.receivers:
        conceal_values(node, problems.concealed)
        values = {key.text: value for key, value in node.pairs}
        plain = mapping_of([(key, value) for key, value in node.pairs if key.text != MATCHING], node)
        for name, receiver in reader.receivers([plain]).items():
            if name in written:
                message = f"the receiver {name} is also in {problems.file}, which holds; this one is left out"
                problems.add(node, message, "remove one of them", Level.WARNING)
                continue
            if not receiver.integrations:
                problems.add(node, f"the receiver {name} has no integration: nothing reaches it")
            matchers = tuple(_matchers(values.get(MATCHING), problems))
            found.append(AddedReceiver(receiver, matchers))
    return found


def _matchers(node: YamlNode | None, problems: Problems) -> Iterator[Matcher]:
    if node is None or node.is_null:
        return
    reader = MappingReader(node, problems, MATCHING)
    for key, value in node.pairs:
        wanted = [one for one in reader.strings(key.text) if one]
        if not _LABEL.fullmatch(key.text):
            problems.add(key, f"{key.text!r} is not the name of a label")
        elif not wanted:
            problems.add(value, f"{key.text} names no value", "write [critical], or leave the label out")
        elif len(wanted) == 1:
            yield Matcher(key.text, MatchOp.EQUAL, wanted[0])
        else:
            yield Matcher(key.text, MatchOp.REGEX, "|".join(map(re.escape, wanted)))
