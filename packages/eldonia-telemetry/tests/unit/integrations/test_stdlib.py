import logging
import logging.config

import pytest

from eldonia_telemetry.integrations import stdlib
from eldonia_telemetry.testing import capture


@pytest.fixture
def server():
    """uvicorn's own configuration, as it is in place when it imports the application."""
    from uvicorn.config import LOGGING_CONFIG

    names = ("uvicorn", "uvicorn.error", "uvicorn.access")
    before = {name: (list(logging.getLogger(name).handlers), logging.getLogger(name).propagate) for name in names}
    levels = {name: logging.getLogger(name).level for name in names}
    logging.config.dictConfig(LOGGING_CONFIG)
    yield
    for name, (handlers, propagate) in before.items():
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate, logger.level = handlers, propagate, levels[name]


@pytest.fixture
def installed():
    there = any(isinstance(handler, stdlib.TelemetryHandler) for handler in logging.getLogger().handlers)
    stdlib.install()
    stdlib.install()
    yield
    if not there:
        stdlib.uninstall()


@pytest.mark.usefixtures("server", "installed")
def test_a_start_that_fails_is_recorded_once_and_accesses_are_not():
    with capture() as seen:
        try:
            raise RuntimeError("no database")
        except RuntimeError:
            logging.getLogger("uvicorn.error").exception("Application startup failed.")
        logging.getLogger("uvicorn.access").info('%s - "%s"', "127.0.0.1", "GET / HTTP/1.1")
    record = seen.record(component="uvicorn")
    assert (record.level, record.message, record.error.message) == (
        *("error", "Application startup failed."),
        "no database",
    )
    assert record.metadata["logger"].startswith("uvicorn.error:")


@pytest.mark.usefixtures("server", "installed")
def test_what_is_taken_off_is_off_everywhere():
    stdlib.uninstall()
    with capture() as seen:
        logging.getLogger("uvicorn.error").warning("x")
    assert seen.records == []


@pytest.mark.usefixtures("installed")
def test_loggers_that_reach_the_root_are_recorded_once():
    with capture() as seen:
        logging.getLogger("uvicorn").warning("x")
    assert len(seen.records) == 1


@pytest.fixture
def as_it_was():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


ROOT = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"null": {"class": "logging.NullHandler"}},
    "root": {"handlers": ["null"], "level": "INFO"},
}
FILE = """
[loggers]
keys=root
[handlers]
keys=null
[formatters]
keys=
[logger_root]
handlers=null
level=INFO
[handler_null]
class=NullHandler
args=()
"""


@pytest.mark.usefixtures("as_it_was", "installed")
def test_the_handler_outlives_configurations_of_the_root_logger(tmp_path):
    (tmp_path / "logging.ini").write_text(FILE)
    for configure in (
        lambda: logging.config.dictConfig(ROOT),
        lambda: logging.config.DictConfigurator(dict(ROOT)).configure(),
        lambda: logging.config.fileConfig(tmp_path / "logging.ini", disable_existing_loggers=False),
    ):
        configure()
        with capture() as seen:
            logging.getLogger("mine").info("still here")
        assert [record.message for record in seen.records] == ["still here"]
        assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger().handlers)


@pytest.mark.usefixtures("as_it_was", "installed")
def test_one_that_was_taken_off_is_not_put_back():
    stdlib.uninstall()
    logging.config.dictConfig(ROOT)
    assert not any(isinstance(handler, stdlib.TelemetryHandler) for handler in logging.getLogger().handlers)
