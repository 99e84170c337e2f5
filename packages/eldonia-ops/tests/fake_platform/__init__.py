"""A platform without loops, stores and sockets behind it, for the tests of the HTTP side.

It keeps the contracts of ``services/contracts.py`` with the real incident rules, runbook and postmortem
writer, and holds a generated hour of a small marketplace in memory. The same seed gives the same data.
"""

from fake_platform.platform import FakePlatform
from fake_platform.times import HOUR, NOW

__all__ = ["HOUR", "NOW", "FakePlatform"]
