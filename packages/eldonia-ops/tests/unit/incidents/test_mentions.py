import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.incidents.mentions import mentioned


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@mio can you look?", ("mio",)),
        ("as @mio and @Ken. said, @mio", ("mio", "ken")),
        ("（@mio）さんへ、@ken-2", ("mio", "ken-2")),
        ("write to mio@example.com", ()),
        ("a@@mio", ()),
        ("@ and @. are no one", ()),
        ("@first.last: done", ("first.last",)),
        ("@MIO", ("mio",)),
        ("@\u212aen looks like @Ken", ("ken",)),
        ("@" + "a" * 65, ()),
    ],
)
def test_names_after_an_at_sign_are_mentions(text: str, names: tuple[str, ...]) -> None:
    assert mentioned(text) == names


@given(st.lists(st.from_regex(r"[a-z0-9]{1,10}", fullmatch=True), max_size=5, unique=True))
def test_every_name_is_found_once_in_order(names: list[str]) -> None:
    assert mentioned(" ".join(f"hi @{name}, " * 2 for name in names)) == tuple(names)
