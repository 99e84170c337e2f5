"""Requests made from the OpenAPI document by schemathesis: valid ones, and some that just are not.

Whatever comes, nothing fails on our side, every answer is as the document says, and none is given without a token.
"""

import itertools
from typing import Any

import pytest
import schemathesis
from fake_platform import NOW, FakePlatform
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, ignored_auth, response_schema_conformance

from eldonia_ops.model.access import Role
from eldonia_ops.web.app import create_app

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
EXAMPLES = 4
# Minutes pass with each look at the clock: sign-ins that fail are throttled for some, and here they fail all the time.
PLATFORM = FakePlatform(now=itertools.count(NOW, 6 * 60_000).__next__).with_people()
HEADERS = {"Authorization": f"Bearer {PLATFORM.secrets[Role.ADMIN]}", "Host": "localhost:9600"}
SCHEMA = schemathesis.openapi.from_asgi("/api/ops/v1/openapi.json", create_app(PLATFORM), headers=HEADERS)
OPERATIONS = {operation.ok().label: operation.ok() for operation in SCHEMA.get_all_operations()}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_no_request_breaks_the_api_or_its_document(label: str, mode: GenerationMode) -> None:
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


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_operation_is_open(label: str) -> None:
    operation: Any = OPERATIONS[label]

    @settings(max_examples=1, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def check(case: Any) -> None:
        case.call_and_validate(headers=HEADERS, checks=[ignored_auth])

    check()
