"""What there is to watch on this machine, as entries that can be added by a click."""

import os
from collections.abc import Collection

from eldonia_ops.discovery import gather, propose
from eldonia_ops.discovery.settings_text import plain_values
from eldonia_ops.services.managed_api import FoundView, MachineView
from eldonia_ops.services.managed_configuration import name_of
from eldonia_ops.settings.managed import identity_key


async def look_around(present: Collection[tuple[str, str]], our_port: int) -> MachineView:
    """The proposals of ``eldonia-ops init``; ``present`` are section and name of the entries that there are.

    Sections that need a hand in a file (``listen``, ``recovery``) are left out.
    """
    facts = await gather(our_port=our_port)
    proposal = propose(facts)
    found = [
        FoundView(section, name, values, one.why, one.step, (section, name) in present)
        for section, entries in proposal.sections.items()
        if identity_key(section) is not None
        for one in entries
        if (values := plain_values(one.values))
        if (name := _name(section, values))
    ]
    return MachineView(facts.hostname or os.uname().nodename, tuple(found), proposal.remarks)


def _name(section: str, values: dict[str, object]) -> str:
    return os.path.normpath(name) if (name := name_of(section, values)).startswith("/") else name
