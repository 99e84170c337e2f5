"""What people do with incidents at the same time, on both databases."""

import asyncio

import pytest
from service_world import World

from eldonia_ops.model.incidents import IncidentStatus
from eldonia_ops.services.api import Postmortem, PreconditionError
from eldonia_ops.storage.state import SqlStateStore, open_state_store


async def test_of_many_who_write_the_first_postmortem_one_saves_it(state_url: str, store: SqlStateStore) -> None:
    """Two platforms on one database: what no thread of one process can keep apart."""
    other = await open_state_store(state_url)
    worlds = World(store), World(other)
    await worlds[0].incidents.open("hana", "Search is slow", "high", "search")

    async def save(number: int) -> str | PreconditionError:
        text = f"text {number}"
        try:
            await worlds[number % 2].incidents.save_postmortem("INC-1", "hana", text, lambda stored: not stored)
        except PreconditionError as error:
            return error
        return text

    outcomes = await asyncio.gather(*(save(number) for number in range(8)))
    [saved] = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert await worlds[0].incidents.postmortem("INC-1", "en") == Postmortem(saved, saved=True)
    kinds = await worlds[0].kinds()
    assert kinds.count("human.fields") == 1
    for world in worlds:
        await world.close()
    await other.close()


async def test_incidents_that_mention_a_person_are_found_by_their_notes(store: SqlStateStore) -> None:
    world = World(store)
    incidents = world.incidents
    for title in ("Search is slow", "Mail waits", "Disk is full"):
        await incidents.open("hana", title, "high", title.split()[0].lower())
    await incidents.note("INC-1", "hana", "@Ken, can you look? mail me at ken@example.com")
    await incidents.note("INC-2", "ken", "nothing for @kenta")
    await incidents.note("INC-3", "hana", "thanks @ken.")
    await incidents.note("INC-3", "hana", "and again @ken")
    assert await incidents.mentioning("ken") == ["INC-3", "INC-1"]
    assert await incidents.mentioning("kenta", limit=10) == ["INC-2"]
    assert await incidents.mentioning("mio") == []
    await incidents.change_status("INC-3", "hana", IncidentStatus.RESOLVED)
    assert await incidents.mentioning("ken", statuses=(IncidentStatus.OPEN,)) == ["INC-1"]
    await world.close()


async def test_a_postmortem_is_replaced_when_its_writer_has_read_what_is_stored(store: SqlStateStore) -> None:
    world = World(store)
    incidents = world.incidents
    await incidents.open("hana", "Search is slow", "high", "search")
    assert not (await incidents.postmortem("INC-1", "en")).saved
    await incidents.save_postmortem("INC-1", "hana", "one\n", lambda stored: stored == "")
    await incidents.save_postmortem("INC-1", "okafor", "two", lambda stored: stored == "one")
    with pytest.raises(PreconditionError, match="INC-1"):
        await incidents.save_postmortem("INC-1", "hana", "three", lambda stored: stored == "one")
    assert await incidents.postmortem("INC-1", "en") == Postmortem("two", saved=True)
    await incidents.save_postmortem("INC-1", "okafor", "two\n", lambda stored: stored == "one")
    await world.close()
