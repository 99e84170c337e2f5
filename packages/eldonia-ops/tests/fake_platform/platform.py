"""Everything together, as the application takes it."""

import random
from collections.abc import Callable

from eldonia_ops.model.access import Role
from fake_platform.alerts import FakeAlerts
from fake_platform.backups import FakeBackups
from fake_platform.incidents import FakeIncidents
from fake_platform.ingest import FakeIngest
from fake_platform.managed import FakeManaged
from fake_platform.queries import FakeQueries
from fake_platform.recovery import FakeRecovery
from fake_platform.reloads import FakeReloads
from fake_platform.security import FakeSecurity
from fake_platform.state import FakeAccess, FakeState
from fake_platform.status import FakeStatus
from fake_platform.telemetry import FakeTelemetry
from fake_platform.times import NOW


class FakePlatform:
    """Everything together. ``secrets`` holds one token a role; ``clock`` moves the time when set."""

    def __init__(self, *, now: Callable[[], int] | None = None, seed: int = 7) -> None:
        self._now = now
        self.at = NOW
        rng = random.Random(seed)
        self.state = FakeState()
        self.access = FakeAccess(self.state, self.now, rng)
        self.secrets = {role: self.access.mint(f"{role.value}-person", role)[1] for role in Role}
        self.telemetry = FakeTelemetry.generated(self.now, rng)
        self.queries = FakeQueries(self.now)
        self.ingest = FakeIngest()
        self.alerts = FakeAlerts(self.now)
        self.incidents = FakeIncidents(self.now)
        self.security = FakeSecurity(self.now)
        self.recovery = FakeRecovery(self.now)
        self.status = FakeStatus(self.now)
        self.reloads = FakeReloads(self.now)
        self.backups = FakeBackups()
        self.managed = FakeManaged(self.now)
        self.language = "en"
        self.resolve_timeout_ms = 300_000

    def now(self) -> int:
        return self.at if self._now is None else self._now()
