import pytest

from eldonia_telemetry import get_logger, runtime
from eldonia_telemetry.integrations.lifespan import live
from eldonia_telemetry.settings import Settings

STARTUP, SHUTDOWN = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}


class Held:
    """A sink that holds records back until it is flushed; notes that among the messages to the server."""

    threshold = 0

    def __init__(self, emitted):
        self.emitted = emitted
        self.held = []

    def write(self, line):
        self.held.append(line)

    def flush(self, timeout):
        if self.held:
            self.emitted.append("delivered")
        self.held.clear()
        return True

    def close(self, timeout=0.0): ...
    def after_fork(self): ...


@pytest.fixture
def emitted():
    emitted = []
    before = runtime.replace(runtime.Runtime(Settings(), (Held(emitted),)))
    yield emitted
    runtime.replace(before)


async def run(app, emitted):
    events = [STARTUP, SHUTDOWN]

    async def receive():
        return events.pop(0)

    async def send(message):
        emitted.append(message["type"].removeprefix("lifespan."))

    await live(app, {"type": "lifespan"}, receive, send)
    return events


async def test_what_is_queued_goes_out_before_the_server_hears_of_the_end(emitted):
    async def app(scope, receive, send):
        assert await receive() == STARTUP
        await send({"type": "lifespan.startup.complete"})
        assert await receive() == SHUTDOWN
        get_logger().info("last words")
        await send({"type": "lifespan.shutdown.complete"})

    assert await run(app, emitted) == []
    assert emitted == ["startup.complete", "delivered", "shutdown.complete"]


async def test_an_application_that_knows_no_lifespan_gets_one(emitted):
    async def app(scope, receive, send):
        get_logger().info("asked for a lifespan")
        raise ValueError("only http")  # as Django does

    assert await run(app, emitted) == []
    assert emitted == ["startup.complete", "delivered", "shutdown.complete"]


async def test_one_that_leaves_without_a_word_gets_one_too(emitted):
    async def app(scope, receive, send):
        return

    assert await run(app, emitted) == []
    assert emitted == ["startup.complete", "shutdown.complete"]


async def test_a_start_that_fails_is_the_servers_to_know(emitted):
    async def app(scope, receive, send):
        await receive()
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError, match="no database"):
        await run(app, emitted)
    assert emitted == []
