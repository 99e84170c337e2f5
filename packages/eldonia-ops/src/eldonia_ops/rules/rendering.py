"""Filling in the templates of a rule's labels and annotations."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from eldonia_ops.model.labels import Labels
from eldonia_ops.template import QuerySample, RuleTemplate, TemplateError, rule_template

Render: TypeAlias = Callable[[str, Labels, float], str]
"""Template text, labels of the series, value that crossed: to the rendered text."""

_parsed = lru_cache(maxsize=4096)(rule_template)


def template_renderer(
    external_labels: Mapping[str, str] | None = None,
    external_url: str = "",
    query: Callable[[str], Sequence[QuerySample]] | None = None,
) -> Render:
    """A renderer that knows ``$labels``, ``$value``, ``$externalLabels`` and ``$externalURL``.

    A template that fails becomes a text that says so, as in Prometheus: a broken description must not
    keep an alert from being raised.
    """

    def render(text: str, labels: Labels, value: float) -> str:
        if "{{" not in text:
            return text
        try:
            template: RuleTemplate = _parsed(text)
            return template.render(
                labels, value, external_labels=external_labels, external_url=external_url, query=query
            )
        except TemplateError as error:
            return f"<error expanding template: {error}>"

    return render
