"""``email_configs``.

Fields and defaults: https://prometheus.io/docs/alerting/latest/configuration/#email_config
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from eldonia_ops.alerting.http_config import NO_CREDENTIAL, Credential
from eldonia_ops.protocols import integration_fields as declare
from eldonia_ops.protocols.section_reader import SectionReader

_HEADERS: Final = (("Subject", '{{ template "email.default.subject" . }}'),)
_UNUSED: Final = ("auth_secret", "auth_secret_file", "auth_identity", "tls_config", "threading")


@dataclass(frozen=True, slots=True)
class EmailConfig:
    """Sends mail through an SMTP server (``host:port``)."""

    KIND: ClassVar = "email"

    to: str
    from_: str
    smarthost: str
    send_resolved: bool = declare.boolean()
    hello: str = "localhost"
    auth_username: str = ""
    auth_password: Credential = NO_CREDENTIAL
    require_tls: bool = True
    html: str = declare.template('{{ template "email.default.html" . }}')
    text: str = declare.template()
    headers: tuple[tuple[str, str], ...] = declare.templates(_HEADERS)


@dataclass(frozen=True, slots=True)
class EmailGlobals:
    """What the ``global`` section has for mail."""

    from_: str
    smarthost: str
    hello: str
    auth_username: str
    auth_password: Credential
    require_tls: bool


def read_globals(section: SectionReader) -> EmailGlobals:
    """Take ``smtp_*`` of the ``global`` section."""
    return EmailGlobals(
        from_=section.string("smtp_from"),
        smarthost=_smarthost(section, "smtp_smarthost", ""),
        hello=section.string("smtp_hello", "localhost"),
        auth_username=section.string("smtp_auth_username"),
        auth_password=section.credential("smtp_auth_password", "smtp_auth_password_file"),
        require_tls=section.boolean("smtp_require_tls", True),
    )


def read(section: SectionReader) -> EmailConfig:
    """One element of ``email_configs``."""
    defaults: EmailGlobals = section.defaults
    values: dict[str, Any] = section.declared(EmailConfig)
    section.string("to", required=True)
    sender = section.template("from", defaults.from_)
    if not sender:
        section.problems.add(section.node, f"{section.what} needs from, or smtp_from in global")
    smarthost = _smarthost(section, "smarthost", defaults.smarthost)
    if not smarthost:
        section.problems.add(section.node, f"{section.what} needs smarthost, or smtp_smarthost in global")
    for key in _UNUSED:
        node = section.get(key)
        if node is not None and not (node.is_scalar and not node.text):
            hint = "mail is sent without it, with auth_username and auth_password"
            section.warning(key, f"{key} of {section.what} is not used", hint)
    # Names of headers are compared as mail has them, so that ``subject`` takes the place of ``Subject``.
    headers = dict(_HEADERS)
    for name, text in values["headers"]:
        if (name, text) not in _HEADERS:
            headers["-".join(part.capitalize() for part in name.split("-"))] = text
    values["headers"] = tuple(sorted(headers.items()))
    return EmailConfig(
        to=section.template("to"),
        from_=sender,
        smarthost=smarthost,
        hello=section.string("hello", defaults.hello),
        auth_username=section.string("auth_username", defaults.auth_username),
        auth_password=section.credential("auth_password", "auth_password_file") or defaults.auth_password,
        require_tls=section.boolean("require_tls", defaults.require_tls),
        **values,
    )


def _smarthost(section: SectionReader, key: str, default: str) -> str:
    """``host:port`` of a mail server."""
    value = section.expanded(key, default)
    node = section.get(key)
    if node is None or value is None:
        return default if node is None else node.text
    host, colon, port = value.rpartition(":")
    if not host or not colon or not port.isdecimal() or not 0 < int(port) < 65_536:
        section.fault(key, f"{key} must be host:port, not {node.describe()}")
    return value
