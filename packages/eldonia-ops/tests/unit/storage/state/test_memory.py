"""The state in memory, as tests of services use it."""

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.storage.state import open_state_store


async def test_a_store_in_memory_is_its_own() -> None:
    first, second = await open_state_store("sqlite://"), await open_state_store("sqlite://")
    alert = Alert(Labels({"alertname": "a"}))
    await first.write(lambda t: t.alerts.put(alert))
    assert await first.read(lambda t: t.alerts.all()) == [alert]
    assert await second.read(lambda t: t.alerts.all()) == []
    assert first.name == "memory"
    await first.close()
    await second.close()
