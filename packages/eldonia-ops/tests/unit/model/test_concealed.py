from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.concealed import Concealed
from eldonia_ops.model.errors import Diagnostic

TEXTS = st.text(st.sampled_from("abcX'\\\"é\n 7"), min_size=4, max_size=12).filter(lambda text: text.strip() == text)


def test_what_was_written_is_shown_in_its_place() -> None:
    concealed = Concealed()
    concealed.add("hunter2-receiver", "${TEAM}")
    concealed.add("postgresql://ops:pass/word@db/x")
    [found] = concealed.cleaned([Diagnostic("no receiver 'hunter2-receiver'", "f", 1, 2, "known: hunter2-receivers")])
    assert (found.message, found.hint) == ("no receiver '${TEAM}'", "known: ${TEAM}s")
    assert (found.file, found.line, found.column) == ("f", 1, 2)
    assert Concealed(concealed).clean("hunter2-receiver") == "${TEAM}"


def test_the_longest_goes_first() -> None:
    concealed = Concealed()
    concealed.add("hunter", "<a>")
    concealed.add("hunter2-long", "<b>")
    assert concealed.clean("hunter2-long, hunter2") == "<b>, <a>2"


def test_what_looks_like_a_secret_needs_no_mark() -> None:
    # Put together here, so that no scanner takes this file for a leak.
    for secret in (
        "xoxb-" + "1234567890-abcdef",
        "ghp_" + "a1B2" * 8,
        "AKIA" + "ABCDEFGH12345678",
        "eops_" + "0123456789abcdef",
        "eopl_" + "0123456789abcdef",
        "https://ops:hunter2" + "@db.example/",
        "https://hooks.slack.com/services/" + "T0/B0/abcdefgh",
        "https://discord.com/api/webhooks/" + "1/abcdefgh",
        "glpat-" + "a1B2" * 5,
        "npm_" + "a1B2" * 9,
        "SG." + "a1B2" * 5 + "." + "a1B2" * 8,
        "sk-proj-" + "a1B2" * 10,
        "https://example.org/metrics?key=" + "hunter2",
        "--admin-token=" + "hunter2",
    ):
        assert secret not in Concealed().clean(f"no receiver {secret!r} is known")
    plain = "unknown key 'receivr' in a route (did you mean 'receiver'?), see https://example.org/a?b=c, eyJ, a@b"
    assert Concealed().clean(plain) == plain


@given(st.lists(TEXTS, min_size=1, max_size=6), st.data())
def test_no_concealed_text_stays_however_it_is_quoted(secrets: list[str], data: st.DataObject) -> None:
    concealed = Concealed()
    for secret in secrets:
        concealed.add(secret)
    secret = data.draw(st.sampled_from(secrets))
    before, after = data.draw(st.text("<>| ", max_size=5)), data.draw(st.text("<>| ", max_size=5))
    for form in (secret, repr(secret), " ".join(secret.split())):
        if len(form) < 4:
            continue  # shorter texts are parts of every other word, and stay
        assert form.strip("'\"") not in concealed.clean(f"{before}{form}{after}").replace("<secret>", "")


@given(st.text(max_size=200), st.lists(TEXTS, max_size=5))
def test_other_texts_stay_as_they_are(text: str, secrets: list[str]) -> None:
    concealed = Concealed()
    for secret in secrets:
        concealed.add(quote(secret, safe="") + "\x00never")
    assert concealed.clean(text) == text


def test_parts_that_give_access_are_concealed_by_themselves():
    concealed = Concealed()
    concealed.add("Bearer abcdef-123456")
    concealed.add("https://hooks.example.com/services/T000/x9x9x9x9x9?key=k8k8k8k8k8")
    parts = concealed.with_parts()
    assert parts.clean("the token abcdef-123456 was sent") == "the token <secret> was sent"
    assert parts.clean("path /x9x9x9x9x9 and k8k8k8k8k8") == "path /<secret> and <secret>"
    concealed.add("http://127.0.0.1:9700/hook")
    assert concealed.with_parts().clean("down: 127.0.0.1:9700") == "down: 127.0.0.1:9700"
    assert parts.clean("a word such as services stays") == "a word such as services stays"
    assert concealed.clean("the token abcdef-123456 was sent") == "the token abcdef-123456 was sent"
