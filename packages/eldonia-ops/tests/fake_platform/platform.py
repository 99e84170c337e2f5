"""Everything together, as the application takes it."""

import random
from collections.abc import Callable

from argon2 import PasswordHasher

from eldonia_ops.model.access import Account, Role
from eldonia_ops.services.access.accounts import AccountService
from eldonia_ops.services.access.passwords import Passwords
from eldonia_ops.services.access.principals import Principals
from eldonia_ops.services.access.sessions import SessionService
from eldonia_ops.settings import SignOnSettings
from fake_platform.alerts import FakeAlerts
from fake_platform.backups import FakeBackups
from fake_platform.dashboards import fake_dashboard_files
from fake_platform.incidents import FakeIncidents
from fake_platform.ingest import FakeIngest
from fake_platform.log_care import fake_erasures, fake_log_metrics, fake_log_retention
from fake_platform.managed import FakeManaged
from fake_platform.queries import FakeQueries
from fake_platform.recovery import FakeRecovery
from fake_platform.reloads import FakeReloads
from fake_platform.security import FakeSecurity
from fake_platform.state import FakeAccess, FakeClock, FakeState
from fake_platform.status import FakeStatus
from fake_platform.telemetry import FakeTelemetry
from fake_platform.times import NOW

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PEOPLE = (
    ("hana", "Hana Sato", Role.ADMIN),
    ("ken", "", Role.RESPONDER),
    ("mio", "澪", Role.VIEWER),
    ("tomo", "Tomo", Role.VIEWER),
)


def password_of(name: str) -> str:
    return f"password of {name[::-1]}"


class FakePlatform:
    """Everything together. ``secrets`` holds one token a role; ``clock`` moves the time when set."""

    def __init__(self, *, now: Callable[[], int] | None = None, seed: int = 7) -> None:
        self._now = now
        self.at = NOW
        rng = random.Random(seed)
        self.state = FakeState()
        clock = FakeClock(self.now)
        principals = Principals(clock, self.state)  # type: ignore[arg-type]
        self.access = FakeAccess(self.state, clock, principals, rng)
        # Real ones over this state; the hashes are as cheap as they can be.
        self.accounts = AccountService(clock, self.state, principals, Passwords(CHEAP))  # type: ignore[arg-type]
        self.sessions = SessionService(clock, self.state, principals)  # type: ignore[arg-type]
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
        self.log_metrics = fake_log_metrics(clock)
        self.log_retention = fake_log_retention(clock, self.telemetry.logs, self.state)  # type: ignore[arg-type]
        self.erasures = fake_erasures(clock, self.telemetry.logs, self.state)  # type: ignore[arg-type]
        self.language = "en"
        self.sign_on = SignOnSettings()
        self.trusted_proxies: tuple[str, ...] = ()
        self.resolve_timeout_ms = 300_000
        self.dashboard_files = fake_dashboard_files()
        self.scrape_interval_ms = 15_000

    def with_people(self) -> "FakePlatform":
        """The same with four people: ``hana`` (admin), ``ken`` (responder) and ``mio`` (viewer) have their name as
        password behind ``password of ``, spelled backwards; ``tomo`` has been invited."""
        minute = 60_000
        for number, (name, shown, role) in enumerate(PEOPLE):
            hashed = CHEAP.hash(password_of(name)) if name != "tomo" else ""
            account = Account(
                f"a{number}", name, role, self.now() - 50 * minute, shown, f"{name}@shop.example", hashed,
                password_changed_at=self.now() - 50 * minute if hashed else 0,
            )  # fmt: skip
            self.state.accounts.put(account)
        return self

    def now(self) -> int:
        return self.at if self._now is None else self._now()
