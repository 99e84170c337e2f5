"""Requests to the listeners of the dialects, made by schemathesis: valid ones, and some that just are not.

Whatever comes, nothing fails on our side, every answer has the form that the dialect's clients read, faults too, and
none is given without a token.
"""

import itertools
from typing import Any

import pytest
import schemathesis
from dialect_documents import PATHS, document
from fake_platform import NOW, FakePlatform
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, ignored_auth, response_schema_conformance

from eldonia_ops.intake.registry import built_in
from eldonia_ops.model.access import Role
from eldonia_ops.web.http_side import HttpSide

schemathesis.serializer.alias("application/x-protobuf", "application/octet-stream")
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
EXAMPLES = 6
# Minutes pass with each look at the clock: sign-ins that fail are throttled for some, and here they fail all the time.
PLATFORM = FakePlatform(now=itertools.count(NOW, 6 * 60_000).__next__)
HEADERS = {"Authorization": f"Bearer {PLATFORM.secrets[Role.ADMIN]}", "Host": "localhost:9090"}
SIDE = HttpSide(PLATFORM, intakes=built_in())
APPS = {name: SIDE.listener(name, loopback=True) for name in PATHS}


def operations() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in PATHS:
        schema = schemathesis.openapi.from_dict(document(name))
        schema.app = APPS[name]
        for operation in schema.get_all_operations():
            found[f"{name} {operation.ok().label}"] = operation.ok()
    return found


OPERATIONS = operations()
GUARDED = [label for label, operation in OPERATIONS.items() if operation.definition.raw["security"]]


@pytest.mark.parametrize("name", PATHS)
def test_every_route_is_fuzzed(name: str) -> None:
    routes = {(guard.path, one.lower()) for guard in APPS[name].state.guards for one in guard.methods - {"HEAD"}}
    assert {(path, method) for path, methods in PATHS[name].items() for method in methods} == routes


@pytest.mark.parametrize(
    ("label", "mode"),
    # Nothing can be wrong about a request without a token, a parameter or a body.
    [(label, mode) for mode in GenerationMode for label in OPERATIONS if mode.is_positive or label in GUARDED],
)
def test_no_request_breaks_a_listener_or_its_dialect(label: str, mode: GenerationMode) -> None:
    operation: Any = OPERATIONS[label]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.call_and_validate(headers=HEADERS, checks=CHECKS)

    check()


@pytest.mark.parametrize("label", GUARDED)
def test_no_operation_is_open(label: str) -> None:
    operation: Any = OPERATIONS[label]

    @settings(max_examples=1, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def check(case: Any) -> None:
        case.call_and_validate(headers=HEADERS, checks=[ignored_auth])

    check()
