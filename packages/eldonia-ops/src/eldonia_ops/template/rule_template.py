"""Templates in the labels and annotations of alert rules: ``{{ $labels.instance }}``, ``{{ $value }}``.

Source: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/#templating
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from eldonia_ops.template.execute import DEFAULT_LIMITS, RenderLimits
from eldonia_ops.template.functions import BUILTINS, Function
from eldonia_ops.template.queries import QueryCall, query_calls
from eldonia_ops.template.rule_functions import QuerySample, rule_functions
from eldonia_ops.template.template_set import Template, parse
from eldonia_ops.template.values import StringMap, Struct

_VARIABLES = ("$labels", "$externalLabels", "$externalURL", "$value")
_FUNCTIONS = rule_functions()


@lru_cache(maxsize=8)
def _without_query(external_url: str) -> Mapping[str, Function]:
    return {**rule_functions(external_url=external_url), **BUILTINS}


class _RuleData(Struct):
    go_names: ClassVar[Mapping[str, str]] = {
        "Labels": "labels",
        "ExternalLabels": "external_labels",
        "ExternalURL": "external_url",
        "Value": "value",
    }

    def __init__(
        self, labels: Mapping[str, str], value: Any, external_labels: Mapping[str, str], external_url: str
    ) -> None:
        self.labels = StringMap(labels)
        self.value = value
        self.external_labels = StringMap(external_labels)
        self.external_url = external_url


@dataclass(frozen=True, slots=True)
class RuleTemplate:
    """A parsed label or annotation of an alert rule. Get one from :func:`rule_template`.

    ``queries`` are its calls of ``query``: without any, no query is asked while it is rendered.
    """

    text: str
    template: Template | None
    queries: tuple[QueryCall, ...] = ()

    def render(
        self,
        labels: Mapping[str, str],
        value: float,
        *,
        external_labels: Mapping[str, str] | None = None,
        external_url: str = "",
        query: Callable[[str], Sequence[QuerySample]] | None = None,
        limits: RenderLimits = DEFAULT_LIMITS,
    ) -> str:
        """Render for one alert: the labels of its series and the value that crossed.

        A label that the series lacks reads as empty, as in Prometheus.

        Raises:
            TemplateError: with the place of what failed.
        """
        if self.template is None:
            return self.text
        data = _RuleData(labels, value, external_labels or {}, external_url)
        functions = {**rule_functions(query, external_url), **BUILTINS} if query else _without_query(external_url)
        values = (data.labels, data.external_labels, data.external_url, data.value)
        return self.template.execute(
            data,
            functions,
            variables=dict(zip(_VARIABLES, values, strict=True)),
            zero_for_missing=True,
            limits=limits,
        )


def rule_template(text: str, name: str = "") -> RuleTemplate:
    """Parse a label or annotation in which ``$labels``, ``$value``, ``$externalLabels`` and
    ``$externalURL`` are predefined.

    Raises:
        TemplateError: with line and column within the text.
    """
    if "{{" not in text:
        return RuleTemplate(text, None)
    template = parse(text, name, functions=_FUNCTIONS, variables=_VARIABLES)
    return RuleTemplate(text, template, query_calls((template.main, *template.definitions.values())))
