"""What an application reports about signing in."""

from typing import Any

from eldonia_telemetry import context, metrics, security


def failed_login(account: object = None, *, reason: str = "", ip_address: object = None, **details: Any) -> str:
    """Report a refused sign-in; returns the event's id.

    Counts in ``auth_failed_logins_total`` and records a ``failed_login`` security event whose
    ``userId`` is the account that was tried. Do not pass the password.
    """
    metrics.standard.failed_logins.inc()
    request = context.bound.get().request
    if request is not None:
        request.login_reported = True  # so that the middleware does not report its 401 as another one
    if reason:
        details["reason"] = reason
    return security.record("failed_login", "medium", user_id=account, ip_address=ip_address, details=details)
