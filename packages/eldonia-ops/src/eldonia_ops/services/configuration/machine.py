"""What there is to watch on this machine, as entries that can be added by a click."""

import os
from collections.abc import Collection, Mapping
from typing import Any

from eldonia_ops.discovery import gather, propose
from eldonia_ops.discovery.settings_text import plain_values
from eldonia_ops.services.api.managed import FoundView, MachineView
from eldonia_ops.services.configuration.managed import name_of
from eldonia_ops.settings.managed import identity_key


async def look_around(present: Collection[tuple[str, str]], watched: Collection[str], our_port: int) -> MachineView:
    """The proposals of ``eldonia-ops init``.

    ``present`` are section and name of the entries that there are, ``watched`` the addresses, URLs and paths that are
    in them. Sections that need a hand in a file (``listen``, ``recovery``) are left out, and so is what holds anyway.
    """
    facts = await gather(our_port=our_port)
    proposal = propose(facts)
    found: list[FoundView] = []
    renamed: dict[str, str] = {}
    for section, entries in proposal.sections.items():
        if identity_key(section) is None:
            continue
        for one in entries:
            values = plain_values(one.values)
            if section == "host" and (values.get("enabled") is not False or (section, section) in present):
                continue  # this machine is read unless the settings say otherwise
            known = bool(watched_by(section, values) & set(watched))
            if section == "objectives":
                values["probe"] = renamed.get(str(values["probe"]), values["probe"])
                known = (section, str(values["name"])) in present
            elif not known:
                before = values.get("name")
                _rename(section, values, present)
                renamed[str(before)] = str(values.get("name"))
            if name := name_of(section, values):
                found.append(FoundView(section, name, values, one.why, one.step, known))
    return MachineView(facts.hostname or os.uname().nodename, tuple(found), proposal.remarks)


def watched_by(section: str, values: Mapping[str, Any]) -> set[str]:
    """What an entry watches: addresses, a URL or a path."""
    if section == "postgresql":
        return {str(values.get("instance", ""))} - {""}
    found = [values.get(key) for key in ("url", "path")] + list(values.get("targets") or ())
    return {str(one).rstrip("/") for one in found if one}


def _rename(section: str, values: dict[str, Any], present: Collection[tuple[str, str]]) -> None:
    """Give an entry whose name is taken by another one a number."""
    key = identity_key(section)
    name = str(values.get(key or "", ""))
    if not key or not name or section == "logs":
        return
    number = 2
    while (section, str(values[key])) in present:
        values[key] = f"{name}-{number}"
        number += 1
