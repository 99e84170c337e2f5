import msgspec
import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.web.access import secret_from_authorization
from eldonia_ops.web.encoding import to_json


@pytest.mark.parametrize(
    "value", ["\ud800", {"\udcff": ["a\ud800"]}, Labels({"a": "\ud800"}), {"a": Labels({"b": "\ud800"})}]
)
def test_halves_of_characters_become_a_sign_for_what_cannot_be_shown(value):
    shown = to_json(value).decode()
    assert "\ufffd" in shown
    msgspec.json.decode(shown)


@pytest.mark.parametrize("header", ["Basic \x87", "Basic ä", "Basic a", "Basic", "Bearer", "Digest x"])
def test_an_authorization_that_cannot_be_read_holds_no_secret(header):
    assert secret_from_authorization(header) is None
