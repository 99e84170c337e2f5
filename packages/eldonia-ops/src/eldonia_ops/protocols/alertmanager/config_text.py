"""A parsed ``alertmanager.yml`` as text for people to read, without what must not be read.

What was written in the file is never shown: a secret may be at any place of it, under a misspelt key or in a
comment. The text is made from the parsed configuration, in which secrets have a type of their own. Alertmanager's
``/api/v2/status`` does the same.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

from eldonia_ops.alerting.http_config import Credential, HttpConfig, ProxyConfig
from eldonia_ops.alerting.receivers import Integration
from eldonia_ops.alerting.route import Route
from eldonia_ops.alerting.time_interval import MONTHS, WEEKDAYS, Interval
from eldonia_ops.model.concealed import without_secrets
from eldonia_ops.model.durations import format_duration
from eldonia_ops.model.matchers import Matcher
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols.alertmanager.config import AlertmanagerConfig
from eldonia_ops.protocols.integration_fields import FieldType, key_of, spec_of

SECRET: Final = "<secret>"  # noqa: S105 - shown instead of one
_USERINFO: Final = re.compile(r"(://)[^\s/@]{1,1000}@")
_SECRET_NAME: Final = re.compile(
    r"passw|passphrase|^pass$|^pw$|pwd|secret|token|credential|authori[sz]ation|cookie|(?:api|access|private)[_-]?key",
    re.I,
)
"""Of headers and details, whose names people choose."""
_WORD: Final = re.compile(r"[A-Za-z<_/][A-Za-z0-9_./<>-]{0,200}|[0-9]{1,9}(?:ms|[smhdwy])")
_KEYWORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def configuration_text(config: AlertmanagerConfig) -> str:
    """The configuration as YAML that Alertmanager reads, every secret shown as ``<secret>``; defaults are filled in,
    and what is empty is left out."""
    routing = config.routing
    document = {
        "global": {"resolve_timeout": format_duration(routing.resolve_timeout)},
        "route": _route(routing.route),
        "inhibit_rules": [
            _without_empty(
                {
                    "name": rule.name,
                    "source_matchers": _matchers(rule.source_matchers),
                    "target_matchers": _matchers(rule.target_matchers),
                    "equal": list(rule.equal),
                }
            )
            for rule in routing.inhibit_rules
        ],
        "receivers": [
            {"name": name, **_integrations(receiver.integrations)} for name, receiver in routing.receivers.items()
        ],
        "time_intervals": [
            {"name": name, "time_intervals": [_interval(one) for one in interval.intervals]}
            for name, interval in routing.time_intervals.items()
        ],
        "templates": list(config.template_globs),
    }
    return without_secrets("\n".join(_lines(_plain(_without_empty(document)), "")) + "\n")


def _lines(value: Any, indent: str) -> Iterator[str]:
    """Block-style YAML of mappings, lists and scalars; texts that are not plain words are written as JSON has them,
    which YAML reads the same."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _entry(f"{indent}{_scalar(name)}:", item, indent)
    else:
        for item in value:
            nested = list(_lines(item, indent + "  ")) if isinstance(item, dict | list) and item else []
            if nested:
                yield f"{indent}- {nested[0][len(indent) + 2 :]}"
                yield from nested[1:]
            else:
                yield f"{indent}- {_scalar(item)}"


def _entry(head: str, item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, dict | list) and item:
        yield head
        yield from _lines(item, indent + "  ")
    else:
        yield f"{head} {_scalar(item)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and (_WORD.fullmatch(value) and value.lower() not in _KEYWORDS):
        return value
    return json.dumps(value, ensure_ascii=not (isinstance(value, str) and value.isprintable()))


def _route(route: Route) -> dict[str, Any]:
    return _without_empty(
        {
            "receiver": route.receiver,
            "group_by": ["..."] if route.group_by_all else list(route.group_by),
            "matchers": _matchers(route.matchers),
            "continue": route.continues or None,
            "group_wait": format_duration(route.group_wait),
            "group_interval": format_duration(route.group_interval),
            "repeat_interval": format_duration(route.repeat_interval),
            "mute_time_intervals": list(route.mute_time_intervals),
            "active_time_intervals": list(route.active_time_intervals),
            "routes": [_route(child) for child in route.routes],
        }
    )


def _matchers(matchers: tuple[Matcher, ...]) -> list[str]:
    return [str(matcher) for matcher in matchers]


def _integrations(integrations: tuple[Integration, ...]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for integration in integrations:
        found.setdefault(f"{integration.kind}_configs", []).append(_fields(integration.config))
    return found


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass under the names that the file has for them."""
    found: dict[str, Any] = {}
    for item in fields(value):
        name, content, spec = key_of(item), getattr(value, item.name), spec_of(item)
        type_ = spec.type if spec else None
        if isinstance(content, Credential):
            found |= _credential(name, content)
        elif isinstance(content, HttpConfig):
            found["http_config"] = _without_empty(_http(content))
        elif type_ is FieldType.DURATION:
            found[name] = format_duration(content) if content else None
        elif type_ is FieldType.TEMPLATES:
            found[name] = {key: SECRET if _SECRET_NAME.search(key) else text for key, text in dict(content).items()}
        elif isinstance(content, tuple):
            found[name] = [_fields(one) if hasattr(one, "__dataclass_fields__") else one for one in content]
        else:
            found[name] = content
    return _without_empty(found)


def _http(config: HttpConfig) -> dict[str, Any]:
    found: dict[str, Any] = {"follow_redirects": config.follow_redirects}
    if config.authorization:
        found["authorization"] = {
            "type": config.authorization_type,
            **_credential("credentials", config.authorization),
        }
    if config.basic_username or config.basic_username_file:
        found["basic_auth"] = _without_empty(
            {
                "username": config.basic_username,
                "username_file": config.basic_username_file,
                **_credential("password", config.basic_password),
            }
        )
    if config.oauth2:
        oauth2 = config.oauth2
        found["oauth2"] = _without_empty(
            {
                "client_id": oauth2.client_id,
                **_credential("client_secret", oauth2.client_secret),
                **_credential("token_url", oauth2.token_url),
                "scopes": list(oauth2.scopes),
                "endpoint_params": dict.fromkeys(dict(oauth2.endpoint_params), SECRET),
                "tls_config": _fields(oauth2.tls),
                **_proxy(oauth2.proxy),
            }
        )
    headers: dict[str, dict[str, list[str]]] = {}
    for name, value in config.headers:
        of_name = headers.setdefault(name, {})
        of_name.setdefault("files" if value.file else "secrets", []).append(value.file or SECRET)
    found["http_headers"] = headers
    found["tls_config"] = _fields(config.tls)
    return found | _proxy(config.proxy)


def _proxy(config: ProxyConfig) -> dict[str, Any]:
    return {
        **_credential("proxy_url", config.url),
        "no_proxy": config.no_proxy,
        "proxy_from_environment": config.from_environment or None,
        "proxy_connect_header": {
            name: [SECRET for other, _ in config.connect_headers if other == name] for name, _ in config.connect_headers
        },
    }


def _credential(name: str, credential: Credential) -> dict[str, Any]:
    if credential.file:
        return {f"{name}_file": credential.file}
    return {name: SECRET} if credential else {}


def _interval(interval: Interval) -> dict[str, Any]:
    def minute(value: int) -> str:
        return f"{value // 60:02d}:{value % 60:02d}"

    def ranges(pairs: tuple[tuple[int, int], ...], names: tuple[str, ...] = (), offset: int = 0) -> list[str]:
        shown = [[names[one - offset] if names else str(one) for one in pair] for pair in pairs]
        return [first if first == last else f"{first}:{last}" for first, last in shown]

    return _without_empty(
        {
            "times": [{"start_time": minute(start), "end_time": minute(end)} for start, end in interval.times],
            "weekdays": ranges(interval.weekdays, tuple(WEEKDAYS)),
            "days_of_month": ranges(interval.days_of_month),
            "months": ranges(interval.months, tuple(MONTHS), 1),
            "years": ranges(interval.years),
            "location": interval.location,
        }
    )


def _without_empty(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in (None, "", [], {}, ())}


def _plain(value: Any) -> Any:
    """What YAML knows; addresses lose their users and passwords, and a secret that got here stays one."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Secret):
        return SECRET
    return _USERINFO.sub(rf"\1{SECRET}@", value) if isinstance(value, str) else value
