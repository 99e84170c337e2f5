"""A real PostgreSQL for measurements, started the way the tests start theirs, but with fsync on."""

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_TESTS = (_ROOT / "packages" / "eldonia-ops" / "tests", _ROOT / "tests")


class UnavailableError(RuntimeError):
    """There is no PostgreSQL here; the message says why."""


@contextlib.contextmanager
def postgresql_url() -> Iterator[str]:
    """The URL of an empty database.

    Raises:
        UnavailableError: PostgreSQL is not installed or does not start.
    """
    import pytest

    sys.path += [str(folder) for folder in _TESTS if str(folder) not in sys.path]
    from postgresql import running_postgresql  # pyright: ignore[reportAttributeAccessIssue, reportMissingImports]

    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(running_postgresql(fsync=True))
        except pytest.skip.Exception as reason:
            raise UnavailableError(str(reason)) from None
        yield server.url()


def programs() -> Path | None:
    """The folder of the newest installed server's programs, None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if found:
        return found[-1]
    postgres = shutil.which("postgres")
    return Path(postgres).resolve().parent if postgres else None
