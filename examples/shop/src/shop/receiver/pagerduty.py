"""What PagerDuty's Events API v2 accepts and answers (https://developer.pagerduty.com/docs/send-alert-event)."""

import json
import secrets
from typing import Any

MAX_BYTES = 512 * 1024
ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")


def judge(body: bytes) -> tuple[int, dict[str, Any], dict[str, Any] | None]:
    """PagerDuty's status and JSON answer for a request body, and the event if it is one."""
    if len(body) > MAX_BYTES:
        return 413, _invalid(["the event is larger than 512 KB"]), None
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        return 400, {"status": "invalid event", "message": "Invalid JSON", "errors": ["Invalid JSON"]}, None
    errors = list(_errors(event))
    if errors:
        return 400, _invalid(errors), None
    key = event.get("dedup_key") or secrets.token_hex(16)
    return 202, {"status": "success", "message": "Event processed", "dedup_key": key}, event


def _errors(event: dict[str, Any]) -> list[str]:
    errors: list[str] = []
    key, action, dedup = event.get("routing_key"), event.get("event_action"), event.get("dedup_key")
    if not key or not isinstance(key, str):
        errors.append("'routing_key' is missing or blank")
    elif len(key) != 32:
        errors.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    if not action:
        errors.append("'event_action' is missing or blank")
    elif action not in ACTIONS:
        errors.append(f"'event_action' is invalid (must be one of the following: {', '.join(ACTIONS)})")
    if dedup is not None and (not isinstance(dedup, str) or len(dedup) > 255):
        errors.append("'dedup_key' is too long (maximum is 255 characters)")
    if action in {"acknowledge", "resolve"} and not dedup:
        errors.append("'dedup_key' is missing or blank")
    if action == "trigger":
        payload = event.get("payload")
        if not isinstance(payload, dict):
            return [*errors, "'payload' is missing or blank"]
        errors += [
            f"'payload.{name}' is missing or blank"
            for name in ("summary", "source", "severity")
            if not payload.get(name) or not isinstance(payload[name], str)
        ]
        if payload.get("severity") and payload["severity"] not in SEVERITIES:
            errors.append(f"'payload.severity' is invalid (must be one of the following: {', '.join(SEVERITIES)})")
        details = payload.get("custom_details")
        if details is not None and not isinstance(details, dict | str):
            errors.append("'payload.custom_details' must be an object")
    return errors + [
        f"'{name}' must be an array"
        for name in ("links", "images")
        if event.get(name) is not None and not isinstance(event[name], list)
    ]


def _invalid(errors: list[str]) -> dict[str, Any]:
    return {"status": "invalid event", "message": "Event object is invalid", "errors": errors}


def title(event: dict[str, Any]) -> str:
    """The event in one line, for the page."""
    payload = event.get("payload") or {}
    severity = f" [{payload['severity']}]" if payload.get("severity") else ""
    return f"{event.get('event_action')}{severity} {payload.get('summary') or event.get('dedup_key') or ''}"
