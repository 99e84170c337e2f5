"""The pages as the server sends them."""

import json
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from web_client import Client

import eldonia_ops.web
from eldonia_ops.model.access import Role
from eldonia_ops.promql.signatures import AGGREGATIONS, FUNCTIONS
from eldonia_ops.web.assets import Assets
from eldonia_ops.web.language import LANGUAGES, catalog, filled
from eldonia_ops.web.markdown import to_html
from eldonia_ops.web.pages import PAGES
from eldonia_ops.web.panels import LAYERS
from eldonia_ops.web.problems import ApiDialect

WEB = Path(eldonia_ops.web.__file__).parent
NAMES = {"{incident}": "INC-3", "{trace_id}": "0" * 32, "{uid}": "shop", "{service:path}": "team/shop"}
PATHS = [re.sub(r"\{[^}]*\}", lambda name: NAMES[name[0]], page.path) for page in PAGES]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_renders_in_every_language_without_inline_code(
    reader: Client, path: str, language: str
) -> None:
    async with reader(Role.ADMIN) as http:
        response = await http.get(path, params={"lang": language})
    assert response.status_code == 200
    html = response.text
    assert f'<html lang="{language}"' in html
    assert not re.search(r"<script(?![^>]*\ssrc=)", html)
    assert not re.search(r"<style|\sstyle=|\son\w+=", html)
    for address in re.findall(r'(?:src|href)="(/static/[^"#]+)', html):
        async with reader() as stranger:
            assert (await stranger.get(address)).status_code == 200, address


async def test_viewers_are_offered_no_acts(reader: Client) -> None:
    async with reader(Role.VIEWER) as viewer, reader(Role.RESPONDER) as responder:
        for act in ('id="next"', 'id="assign"', 'id="note-form"'):
            assert act not in (await viewer.get("/incidents/INC-3")).text
            assert act in (await responder.get("/incidents/INC-3")).text
        assert "token-form" not in (await responder.get("/settings")).text


async def test_what_is_reflected_is_escaped(reader: Client) -> None:
    async with reader(Role.VIEWER) as http:
        html = (await http.get("/incidents/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")).text
        assert "<script>alert" not in html
        html = (await http.get("/traces/%22%20autofocus%20onfocus=alert(1)%20x=%22")).text
        assert 'data-trace="" autofocus' not in html


async def test_unknown_pages_say_so_in_html(reader: Client) -> None:
    async with reader(Role.VIEWER) as http:
        response = await http.get("/nothing", headers={"Accept-Language": "ja"})
    assert response.status_code == 404
    assert "ページが見つかりません" in response.text
    assert "Not Found" not in response.text


async def test_language_comes_from_the_address_the_cookie_and_the_browser_in_this_order(reader: Client) -> None:
    async with reader() as http:

        async def shown(query: str = "", **headers: str) -> str:
            found = re.search(r'<html lang="(\w+)"', (await http.get(f"/sign-in{query}", headers=headers)).text)
            assert found
            http.cookies.clear()
            return found[1]

        assert await shown() == "en"
        assert await shown(**{"Accept-Language": "fr;q=0.9, ja-JP;q=0.8, en;q=0.5"}) == "ja"
        assert await shown(**{"Accept-Language": "ja;q=x, , en;q=0"}) == "en"
        assert await shown(**{"Accept-Language": "en", "Cookie": "eldonia_ops_language=ja"}) == "ja"
        assert await shown("?lang=en", **{"Cookie": "eldonia_ops_language=ja"}) == "en"


# --- texts ---


def test_catalogs_have_equal_keys_and_placeholders() -> None:
    english, japanese = catalog("en"), catalog("ja")
    assert list(english) == list(japanese)
    for key in english:
        assert english[key].strip()
        assert sorted(re.findall(r"\{\w+\}", english[key])) == sorted(re.findall(r"\{\w+\}", japanese[key])), key


def test_counts_have_the_word_for_one() -> None:
    assert filled("{n} {n|file|files} of {all}", {"n": 1}) == "1 file of {all}"
    assert filled("{n} {n|file|files}", {"n": "1,200"}) == "1,200 files"
    same = {"series", "is", "has"}
    for key, text in catalog("en").items():
        for name, word in re.findall(r"\{(n|all|count|rows|parts|panels|hours|seconds)\} (?:more )?([a-z]+s)\b", text):
            assert word in same, f"{key}: write {{{name}|{word[:-1]}|{word}}}"


def test_japanese_texts_are_japanese() -> None:
    same = {key for key, text in catalog("ja").items() if text == catalog("en")[key]}
    # Names of products are the same in both.
    assert same == {
        "language.en",
        "language.ja",
        "unit.percent",
        "rule_unit.percent",
        "rule_value.percent",
        "kind.nginx",
        "people.invite_example",
        "kind.redis",
        "entry_kind.nginx",
        "entry_kind.redis",
        "entry_kind.postgresql",
        "form.json",
        "form.syslog",
        "form.logfmt",
    }


def test_templates_hold_no_text_of_their_own() -> None:
    for path in (WEB / "templates").glob("*.html"):
        source = re.sub(
            r"\{%.*?%\}|\{\{.*?\}\}|<!doctype html>|<kbd>.*?</kbd>", "", path.read_text("utf-8"), flags=re.S
        )
        texts = [text.strip() for text in re.findall(r">([^<>]*)<", source)]
        texts += re.findall(r'(?:aria-label|placeholder|title|alt)="([^"]*)"', source)
        own = {"Eldonia Ops", "· Eldonia Ops", "MTTD", "MTTA", "MTTR", "200ms", "2s", "eops_…",
               "http.response.status_code&gt;=500", "?", "(?)", "NDJSON", "CSV"}  # fmt: skip
        left = [text for text in texts if re.search(r"\w", text) and text not in own]
        assert not left, (path.name, left)


def test_every_text_that_pages_ask_for_exists() -> None:
    known = catalog("en")
    groups = {key.partition(".")[0] for key in known}
    for path in [*(WEB / "templates").glob("*.html"), *(WEB / "static/js").rglob("*.js")]:
        source = path.read_text("utf-8")
        for key in re.findall(r"""\bt\(\s*["']([a-z_]+\.[a-z0-9_]+)["']\s*[,)]""", source):
            assert key in known, (path.name, key)
        for first, second in re.findall(r"""\bt\(\w+(?:\.\w+)? \? "([a-z_.]+)" : "([a-z_.]+)\"""", source):
            assert first in known, (path.name, first)
            assert second in known, (path.name, second)
        for group in re.findall(r"""\bt\([`'"]([a-z_]+)\.(?:[a-z_]*\$\{|['"] ~)""", source):
            assert group in groups, (path.name, group)
    for layer in LAYERS:
        assert {f"layer.{layer.key}", f"empty.{layer.key}"} <= set(known)
        for panel in layer.panels:
            assert {f"panel.{panel.key}", f"unit.{panel.unit}"} <= set(known)


def test_scripts_hold_no_japanese_and_no_inline_markup() -> None:
    for path in (WEB / "static/js").rglob("*.js"):
        source = path.read_text("utf-8")
        assert not re.search(r"[぀-ヿ一-鿿]", source), path.name
        assert "insertAdjacentHTML" not in source
        assert "eval(" not in source
        if path.name not in ("incident.js", "text.js"):  # they show the server's rendering of Markdown
            assert "innerHTML" not in source, path.name


# --- static files ---


async def test_static_files_are_kept_for_ever_and_packed(reader: Client) -> None:
    assets = Assets()
    async with reader() as http:
        response = await http.get(assets.url("css/base.css"), headers={"Accept-Encoding": "gzip"})
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["content-type"] == "text/css; charset=utf-8"
        plain = await http.get(assets.url("css/base.css"), headers={"Accept-Encoding": "identity"})
        assert plain.content == response.content
        old = await http.get("/static/0000/css/base.css")
        assert old.headers["cache-control"] == "no-store"
        for path in (
            "/static/x/../gate.py",
            "/static/x/..%2fgate.py",
            "/static/x/missing.js",
            "/static/x/vendor/.stamp",
        ):
            assert (await http.get(path)).status_code in (401, 404)


async def test_the_catalog_is_a_module(reader: Client) -> None:
    async with reader() as http:
        text = (await http.get(Assets().url("js/i18n/ja.js"))).text
    assert json.loads(text.removeprefix("export default ").removesuffix(";\n")) == dict(catalog("ja"))


def test_addresses_change_with_the_content(tmp_path: Path) -> None:
    for name in ("vendor/uplot/uPlot.js", "vendor/uplot/uPlot.css", "a.css"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1", "utf-8")
    before = Assets(tmp_path).url("a.css")
    assert Assets(tmp_path).url("a.css") == before
    (tmp_path / "a.css").write_text("2", "utf-8")
    assert Assets(tmp_path).url("a.css") != before
    (tmp_path / "vendor/uplot/uPlot.js").unlink()
    with pytest.raises(FileNotFoundError, match="install the package"):
        Assets(tmp_path)


def test_every_page_route_is_of_the_page_family(app: Starlette) -> None:
    pages = {guard.path for guard in app.state.guards if guard.family is ApiDialect.PAGE}
    assert {page.path for page in PAGES} <= pages


# --- Markdown ---


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "<javascript:alert(1)>",
     "[x](data:text/html;base64,PHNjcmlwdD4=)", "![x](javascript:alert(1))"],
)  # fmt: skip
def test_markdown_carries_no_script(text: str) -> None:
    html = to_html(text)
    assert "<script" not in html
    assert "<img src=x" not in html
    assert not re.search(r'(?:href|src)="(?:javascript|data:text)', html)


def test_markdown_has_tables() -> None:
    assert "<td>1</td>" in to_html("| a |\n|---|\n| 1 |\n")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("lang=fr", ["“fr”"]),
        ("from=2000&to=1000", ["“2000”", "“1000”"]),
        ("from=1000&to=1000", ["“1000”"]),
        ("from=1000", ["“1000”"]),
        ("from=yesterday&to=1000", ["“yesterday”"]),
        ("range=7x", ["“7x”", "5m, 15m"]),
        ("lang=%3Cscript%3E", ["“&lt;script&gt;”"]),
        ("range=" + "x" * 100, ["“" + "x" * 40 + "”"]),
        ("lang=fr&from=2&to=1", ["“fr”", "“2”"]),
    ],
)
async def test_what_an_address_asks_in_vain_is_said(reader: Client, query: str, words: list[str]) -> None:
    async with reader(Role.VIEWER) as http:
        response = await http.get(f"/logs?{query}")
    assert response.status_code == 200
    notices = re.findall(r'<div class="banner notice" role="alert">(.*?)</div>', response.text, re.DOTALL)
    assert len(notices) == (2 if query.startswith("lang=fr&") else 1)
    assert all(word in "".join(notices) for word in words)
    assert "<script>" not in "".join(notices)


@pytest.mark.parametrize(
    "query", ["", "lang=ja", "from=1000&to=2000.5", "range=1h", "range=&lang=&from=&to=", "level=x"]
)
async def test_what_can_be_had_needs_no_notice(reader: Client, query: str) -> None:
    async with reader(Role.VIEWER) as http:
        assert "banner notice" not in (await http.get(f"/logs?{query}")).text
        assert "banner notice" not in (await http.get(f"/sign-in?{query}")).text


async def test_the_sign_in_says_it_too(reader: Client) -> None:
    async with reader() as http:
        assert "“fr”" in (await http.get("/sign-in?lang=fr")).text


# --- PromQL ---


def test_every_function_that_is_evaluated_has_help() -> None:
    """In both languages: the editor shows it on hovering and beside a completion."""
    helped = {key.removeprefix("promql.fn.") for key in catalog("en") if key.startswith("promql.fn.")}
    assert helped >= {*FUNCTIONS, *AGGREGATIONS}
    source = (WEB / "static/js/lib/promql_help.js").read_text("utf-8")
    assert set(re.findall(r"^  (\w+): \"", source, re.MULTILINE)) == helped
