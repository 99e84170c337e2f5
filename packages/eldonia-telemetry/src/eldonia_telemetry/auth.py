"""What an application reports about signing in."""

from typing import Any

from eldonia_telemetry import context, metrics, security, values


def failed_login(account: object = None, *, reason: str = "", ip_address: object = None, **details: Any) -> str:
    """Report a refused sign-in; returns the event's id.

    Counts in ``auth_failed_logins_total`` and records a ``failed_login`` security event whose
    ``userId`` is the account that was tried. Do not pass the password. One line is enough, in the place where the
    application refuses; what a framework has said of the same account in the same request before is this event.
    """
    request = context.bound.get().request
    if request is not None:
        signalled, request.login_signalled = request.login_signalled, None
        if signalled is not None and signalled[0] == values.text(account):
            return signalled[1]
    return _report(account, reason, ip_address, details)


def signalled(account: object, *, reason: str) -> str:
    """Report what a framework's own signal says, unless the application has reported it in this request.

    An application that reports it after the signal then reports nothing new.
    """
    request = context.bound.get().request
    if request is None:
        return _report(account, reason, None, {})
    if request.login_reported:
        return ""
    event_id = _report(account, reason, None, {})
    request.login_signalled = (values.text(account), event_id)
    return event_id


def _report(account: object, reason: str, ip_address: object, details: dict[str, Any]) -> str:
    metrics.standard.failed_logins.inc()
    request = context.bound.get().request
    if request is not None:
        request.login_reported = True  # so that the middleware does not report the same answer as another one
    if reason:
        details["reason"] = reason
    return security.record("failed_login", "medium", user_id=account, ip_address=ip_address, details=details)
