"""Go's own text/template ran these; its outputs were recorded beside this file."""

import json
from pathlib import Path

import pytest

from eldonia_ops.template import TemplateError, parse

RECORDED = json.loads((Path(__file__).parent / "go_text_template.json").read_text("utf-8"))


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: case["template"][:60])
def test_same_as_go(case):
    if case.get("error"):
        with pytest.raises(TemplateError) as caught:
            parse(case["template"], functions=["toUpper"]).execute(RECORDED["data"])
        assert caught.value.line >= 1
        assert caught.value.column >= 1
    else:
        assert parse(case["template"], functions=["toUpper"]).execute(RECORDED["data"]) == case["output"]
