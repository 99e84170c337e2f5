from eldonia_ops.model.labels import Labels
from eldonia_ops.rules import RuleRenderer
from eldonia_ops.template import QuerySample

UP = '{{ query "up" | first | value }}'
LOAD = '{{ printf "load{i=%q}" $labels.i | query | first | value }}'
BOTH = '{{ with query "names" | first | label "name" }}{{ . }}: {{ query . | first | value }}{{ end }}'
SERIES = [(Labels({"i": str(number)}), 1.0) for number in range(3)]


def answered(value):
    return [QuerySample({"name": "load"}, value)]


def test_what_is_to_be_asked_is_named_once_however_many_series_ask():
    assert RuleRenderer().unanswered([UP, "{{ $value }}", UP], SERIES) == ["up"]
    assert RuleRenderer().unanswered([LOAD], SERIES) == [f'load{{i="{number}"}}' for number in range(3)]


def test_an_answer_may_lead_to_another_question():
    render = RuleRenderer()
    assert render.unanswered([BOTH], SERIES) == ["names"]
    render = render.knowing({"names": answered(0)})
    assert render.unanswered([BOTH], SERIES) == ["load"]
    render = render.knowing({"names": answered(0), "load": answered(7)})
    assert render.unanswered([BOTH], SERIES) == []
    assert render(BOTH, *SERIES[0]) == "load: 7"


def test_a_query_that_failed_is_told_in_the_text_and_not_asked_again():
    render = RuleRenderer(answers={"up": "took longer than 30 s"})
    assert render.unanswered([UP], SERIES) == []
    text = render(UP, *SERIES[0])
    assert text == "<error expanding template: template:1:4: error calling query: took longer than 30 s>"


def test_an_empty_answer_is_an_answer():
    render = RuleRenderer(answers={"up": []})
    assert render.unanswered([UP], SERIES) == []
    assert "first() called on vector with no elements" in render(UP, *SERIES[0])
    assert render('{{ range query "up" }}x{{ else }}none{{ end }}', *SERIES[0]) == "none"


def test_a_template_that_fails_asks_nothing_and_hides_no_other():
    assert RuleRenderer().unanswered(["{{ $value.x }}", UP], SERIES) == ["up"]
