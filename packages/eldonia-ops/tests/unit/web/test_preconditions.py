"""The cases of RFC 9110, sections 13.1.1 and 13.1.2."""

import pytest

from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.preconditions import PreconditionRequiredError, entity_tag, read_precondition

ONE, TWO = entity_tag("one"), entity_tag("two")


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "stored", "holds"),
    [
        ([ONE], [], ONE, True),
        ([ONE], [], TWO, False),
        ([ONE], [], "", False),
        ([f"{TWO},, {ONE} "], [], ONE, True),
        ([TWO, ONE], [], ONE, True),
        ([f"W/{ONE}"], [], ONE, False),
        (["*"], [], ONE, True),
        (["*"], [], "", False),
        ([], ["*"], "", True),
        ([], ["*"], ONE, False),
        ([], [ONE], ONE, False),
        ([], [f"W/{ONE}"], ONE, False),
        ([], [ONE], TWO, True),
        ([ONE], [TWO], ONE, True),
        ([ONE], [ONE], ONE, False),
        (['"a,b"'], [], '"a,b"', True),
        (['""'], [], '""', True),
    ],
)
def test_what_may_be_replaced(if_match: list[str], if_none_match: list[str], stored: str, holds: bool) -> None:
    assert read_precondition(if_match, if_none_match).holds(stored) is holds


@pytest.mark.parametrize("value", ["abc", '"abc', 'w/"abc"', '"a" "b"', "*, *", '*, "a"', "", " ", '"a\x7fb"'])
def test_what_is_no_list_of_tags(value: str) -> None:
    with pytest.raises(BadRequestError, match="If-Match"):
        read_precondition([value], [])


def test_a_long_list_is_read_at_once() -> None:
    assert read_precondition([", ".join([TWO] * 100_000 + [ONE])], []).holds(ONE)
    with pytest.raises(BadRequestError):
        read_precondition(['"a",' * 100_000 + "a"], [])


def test_who_says_nothing_is_refused() -> None:
    with pytest.raises(PreconditionRequiredError):
        read_precondition([], [])


@pytest.mark.parametrize("blanks", ["\t" * 20_000, ", " * 20_000, '"a" ' + " " * 20_000])
def test_a_header_of_blanks_is_read_at_once(blanks: str) -> None:
    with pytest.raises(BadRequestError, match="no list of entity tags"):
        read_precondition([f'"a"{blanks}x'], [])


def test_empty_elements_of_a_list_do_not_count() -> None:
    assert read_precondition([' ,, "a" ,\t, W/"b" , '], []).match == {'"a"', 'W/"b"'}
