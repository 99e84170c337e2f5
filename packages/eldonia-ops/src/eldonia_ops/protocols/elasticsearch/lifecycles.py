"""When documents of an index are deleted: policies of ILM and of OpenSearch's ISM, read for what we do of them.

We delete each document once it is so old; an index is not deleted as a whole, and phases before the deletion have no
meaning for one store. Actions that would change data in another way are refused.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument, unsupported

_DURATION: Final = re.compile(r"([0-9]{1,9})(d|h|m|s|ms|micros|nanos)")
_UNITS: Final = {
    "d": 86_400_000.0,
    "h": 3_600_000.0,
    "m": 60_000.0,
    "s": 1_000.0,
    "ms": 1.0,
    "micros": 1e-3,
    "nanos": 1e-6,
}
_PHASES: Final = frozenset({"hot", "warm", "cold", "frozen", "delete"})
_REFUSED: Final = frozenset({"downsample", "searchable_snapshot"})
_REFUSED_STATES: Final = frozenset({"snapshot", "rollup", "transform", "close", "convert_index_to_remote"})


def duration_ms(value: Any) -> int:
    """A duration as Elasticsearch writes it, in milliseconds.

    Raises:
        ElasticsearchError: it is none.
    """
    text = str(value)
    if text in ("0", "-1"):
        return 0
    match = _DURATION.fullmatch(text)
    if match is None:
        raise illegal_argument(f"failed to parse [{text[:40]}] as a time value: write a number and d, h, m, s or ms")
    return round(int(match[1]) * _UNITS[match[2]])


def check_lifecycle(name: str, body: Any) -> None:
    """Refuse what is no policy of ILM, or asks for what we do not do.

    Raises:
        ElasticsearchError: the reason says what to leave out.
    """
    policy = body.get("policy") if isinstance(body, dict) else None
    phases = policy.get("phases") if isinstance(policy, dict) else None
    if not isinstance(phases, dict):
        raise ElasticsearchError(400, "parse_exception", f"the policy [{name}] has no [policy.phases]")
    for phase, stated in phases.items():
        if phase not in _PHASES:
            raise illegal_argument(f"Lifecycle does not support phase [{str(phase)[:40]}]")
        actions = stated.get("actions", {}) if isinstance(stated, dict) else None
        if not isinstance(actions, dict):
            raise illegal_argument(f"the phase [{phase}] of the policy [{name}] has no actions")
        if refused := sorted(_REFUSED & set(actions)):
            raise unsupported(f"the action [{refused[0]}] of the phase [{phase}]", "leave it out")
        duration_ms(stated.get("min_age", "0"))


def deletion_age_ms(body: Mapping[str, Any]) -> int | None:
    """After how long a policy of ILM deletes; None: never."""
    phase = body.get("policy", {}).get("phases", {}).get("delete")
    if not isinstance(phase, dict) or "delete" not in (phase.get("actions") or {"delete": {}}):
        return None
    return duration_ms(phase.get("min_age", "0"))


def check_state_policy(name: str, body: Any) -> None:
    """Refuse what is no policy of ISM, or asks for what we do not do.

    Raises:
        ElasticsearchError: the reason says what to leave out.
    """
    states = _states(body)
    if not states:
        raise illegal_argument(f"the policy [{name}] has no [policy.states]")
    for state in states:
        for action in _objects(state.get("actions")):
            if refused := sorted(_REFUSED_STATES & set(action)):
                raise unsupported(f"the action [{refused[0]}] of the state [{state.get('name')}]", "leave it out")
    state_deletion_age_ms(body)


def state_deletion_age_ms(body: Mapping[str, Any]) -> int | None:
    """After how long a policy of ISM deletes; None: never, or by something else than age."""
    states = _states(body)
    deleting = {
        str(state.get("name"))
        for state in states
        if any("delete" in action for action in _objects(state.get("actions")))
    }
    if states and str(states[0].get("name")) in deleting:
        return 0
    ages: list[int] = []
    for state in states:
        for transition in _objects(state.get("transitions")):
            conditions = transition.get("conditions")
            if str(transition.get("state_name")) in deleting and isinstance(conditions, dict):
                ages += [duration_ms(conditions[key]) for key in ("min_index_age",) if key in conditions]
    return min(ages, default=None)


def state_policy_patterns(body: Mapping[str, Any]) -> list[str]:
    """The patterns of the indices to which a policy of ISM attaches itself."""
    templates = body.get("policy", {}).get("ism_template")
    found: list[str] = []
    for template in _objects([templates] if isinstance(templates, dict) else templates):
        patterns = template.get("index_patterns")
        found += [str(one) for one in patterns] if isinstance(patterns, list) else []
    return found


def _states(body: Any) -> Sequence[Mapping[str, Any]]:
    policy = body.get("policy") if isinstance(body, dict) else None
    states = policy.get("states") if isinstance(policy, dict) else None
    return _objects(states)


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none of what is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
