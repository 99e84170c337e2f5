"""``pagerduty_configs``.

Fields and defaults: https://prometheus.io/docs/alerting/latest/configuration/#pagerduty_config
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from eldonia_ops.alerting.http_config import Credential, HttpConfig
from eldonia_ops.protocols import integration_fields as declare
from eldonia_ops.protocols.section_reader import SectionReader
from eldonia_ops.protocols.yaml_document import YamlNode

SEVERITIES: Final = ("critical", "error", "warning", "info")
_URL: Final = "https://events.pagerduty.com/v2/enqueue"
DEFAULT_DETAILS: Final = (
    ("firing", '{{ template "pagerduty.default.instances" .Alerts.Firing }}'),
    ("num_firing", "{{ .Alerts.Firing | len }}"),
    ("num_resolved", "{{ .Alerts.Resolved | len }}"),
    ("resolved", '{{ template "pagerduty.default.instances" .Alerts.Resolved }}'),
)


@dataclass(frozen=True, slots=True)
class PagerDutyImage:
    """A picture shown with a PagerDuty incident."""

    src: str
    alt: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class PagerDutyLink:
    """A link shown with a PagerDuty incident."""

    href: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class PagerDutyConfig:
    """Sends to PagerDuty's Events API v2."""

    KIND: ClassVar = "pagerduty"

    routing_key: Credential = declare.secret()
    url: str = _URL
    send_resolved: bool = declare.boolean(True)
    client: str = declare.template('{{ template "pagerduty.default.client" . }}')
    client_url: str = declare.template('{{ template "pagerduty.default.clientURL" . }}')
    description: str = declare.template('{{ template "pagerduty.default.description" . }}')
    severity: str = declare.template("error")
    class_: str = declare.template()
    component: str = declare.template()
    group: str = declare.template()
    source: str = declare.template()
    details: tuple[tuple[str, str], ...] = declare.templates(DEFAULT_DETAILS)
    images: tuple[PagerDutyImage, ...] = ()
    links: tuple[PagerDutyLink, ...] = ()
    http: HttpConfig = declare.http()


def read_globals(section: SectionReader) -> str:
    """The address that the ``global`` section has for PagerDuty."""
    return section.address("pagerduty_url", _URL)


def read(section: SectionReader) -> PagerDutyConfig:
    """One element of ``pagerduty_configs``."""
    values: dict[str, Any] = section.declared(PagerDutyConfig)
    for key in ("service_key", "service_key_file"):
        if section.get(key) is not None:
            reason = f"{key} (Events API v1) is not supported"
            section.warning(key, reason, "use routing_key (Events API v2); until then nothing is delivered")
            values["http"] = replace(values["http"], unsupported=reason)
    if not values["routing_key"] and not section.has("service_key") and not section.has("service_key_file"):
        section.problems.add(section.node, f"{section.what} needs routing_key or routing_key_file")
    severity = values["severity"]
    if "{{" not in severity and severity not in SEVERITIES:
        section.fault("severity", f"PagerDuty knows no severity {severity!r}", f"one of {', '.join(SEVERITIES)}")
    return PagerDutyConfig(
        url=section.address("url", section.defaults),
        images=tuple(
            PagerDutyImage(**_texts(section, node, "an image", ("src", "alt", "href")))
            for node in section.elements("images")
        ),
        links=tuple(
            PagerDutyLink(**_texts(section, node, "a link", ("href", "text"))) for node in section.elements("links")
        ),
        **values,
    )


def _texts(section: SectionReader, node: YamlNode, what: str, names: tuple[str, ...]) -> dict[str, str]:
    """A mapping of templates, of which the first is needed."""
    reader = section.nested(node, what)
    reader.string(names[0], required=True)
    found = {name: reader.template(name) for name in names}
    reader.done()
    return found
