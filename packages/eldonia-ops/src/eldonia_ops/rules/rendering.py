"""Filling in the templates of a rule's labels and annotations."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeAlias

from eldonia_ops.model.labels import Labels
from eldonia_ops.template import QuerySample, RuleTemplate, TemplateError, rule_template

Render: TypeAlias = Callable[[str, Labels, float], str]
"""Template text, labels of the series, value that crossed: to the rendered text."""

Answer: TypeAlias = Sequence[QuerySample] | str
"""What a template's ``query`` yielded, or what was wrong with it."""

_parsed = lru_cache(maxsize=4096)(rule_template)


class _Unanswered(Exception):  # noqa: N818 - not a fault, a question
    def __init__(self, expression: str) -> None:
        super().__init__(expression)
        self.expression = expression


@dataclass(frozen=True, slots=True)
class RuleRenderer:
    """Renders with ``$labels``, ``$value``, ``$externalLabels`` and ``$externalURL``.

    A template that fails becomes a text that says so, as in Prometheus: a broken description must not
    keep an alert from being raised.

    ``answers`` holds what ``query`` yields, by expression. Rendering sends no query, so that it stays a function of
    what it is given: :meth:`unanswered` says what to ask beforehand. ``wording`` gets what a template has become: one
    that quotes a reason quotes it in the language that reasons are kept in.
    """

    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    wording: Callable[[str], str] = str

    def __call__(self, text: str, labels: Labels, value: float) -> str:
        """The text for one alert."""
        if "{{" not in text:
            return text
        try:
            return self.wording(self._expand(text, labels, value))
        except TemplateError as error:
            return f"<error expanding template: {error}>"
        except _Unanswered as question:
            return f"<error expanding template: there is no answer for {question.expression}>"

    def knowing(self, answers: Mapping[str, Answer]) -> "RuleRenderer":
        """The same with answers to queries."""
        return replace(self, answers=answers)

    def unanswered(self, texts: Iterable[str], vector: Iterable[tuple[Labels, float]]) -> list[str]:
        """The expressions without an answer that some templates come to first, each once, for the series of a rule's
        result. An answer may lead to another question: ask until there is none."""
        texts = list(texts)
        wanted: dict[str, None] = {}
        for labels, value in vector:
            for text in texts:
                try:
                    self._expand(text, labels, value)
                except _Unanswered as question:
                    wanted[question.expression] = None
                except TemplateError:
                    pass
        return list(wanted)

    def _expand(self, text: str, labels: Labels, value: float) -> str:
        template: RuleTemplate = _parsed(text)
        return template.render(
            labels,
            value,
            external_labels=self.external_labels,
            external_url=self.external_url,
            query=self._answer if template.queries else None,
        )

    def _answer(self, expression: str) -> Sequence[QuerySample]:
        answer = self.answers.get(expression)
        if answer is None:
            raise _Unanswered(expression)
        if isinstance(answer, str):
            raise ValueError(answer)
        return answer


def querying(texts: Iterable[str]) -> tuple[str, ...]:
    """Those of some templates that call ``query``."""
    return tuple(text for text in texts if "{{" in text and _queries(text))


@lru_cache(maxsize=4096)
def _queries(text: str) -> bool:
    try:
        return bool(_parsed(text).queries)
    except TemplateError:
        return False
