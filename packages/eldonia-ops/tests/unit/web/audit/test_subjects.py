"""What a route is about."""

import pytest
from fake_platform import FakePlatform

from eldonia_ops.web.app import create_app
from eldonia_ops.web.audit.subjects import NATIVE, Act, act_of
from eldonia_ops.web.audit.trail import AuditTrail


@pytest.mark.parametrize(
    ("method", "path", "act"),
    [
        ("POST", f"{NATIVE}/incidents", Act("incident", "created", "")),
        ("PATCH", f"{NATIVE}/incidents/{{incident}}", Act("incident", "changed", "incident")),
        ("POST", f"{NATIVE}/incidents/{{incident}}/acknowledge", Act("incident", "acknowledge", "incident")),
        ("PUT", f"{NATIVE}/incidents/{{incident}}/postmortem", Act("incident", "postmortem", "incident")),
        ("DELETE", f"{NATIVE}/silences/{{id}}", Act("silence", "deleted", "id")),
        ("DELETE", "/api/v2/silence/{id}", Act("silence", "deleted", "id")),
        ("POST", f"{NATIVE}/reload", Act("configuration", "reload", "")),
        ("POST", "/-/reload", Act("configuration", "reload", "")),
        ("POST", f"{NATIVE}/account/password", Act("account", "password", "")),
        ("PATCH", f"{NATIVE}/account", Act("account", "changed", "")),
        ("POST", f"{NATIVE}/account/tokens", Act("token", "created", "")),
        ("PUT", f"{NATIVE}/logs/searches/{{search}}", Act("saved_search", "changed", "search")),
        ("POST", f"{NATIVE}/things/{{id}}/turn", Act("things", "turn", "id")),
    ],
)
def test_the_act_of_a_route(method: str, path: str, act: Act) -> None:
    assert act_of(path, method) == act


def test_every_route_that_changes_something_has_a_kind_of_its_own() -> None:
    platform = FakePlatform()
    trail = AuditTrail(platform)
    kinds = {
        act_of(guard.path, method).kind
        for guard in create_app(platform).state.guards
        for method in guard.methods
        if trail.covers(guard.path, method, guard.demand)
    }
    assert {"incident", "silence", "token", "account", "configuration", "receiver", "change"} <= kinds
    assert not any("/" in kind or "{" in kind for kind in kinds)
