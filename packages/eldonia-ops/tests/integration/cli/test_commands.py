"""The command line over HTTP: what it prints, and its exit codes."""

import contextlib
import json
import re
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from fake_platform import FakePlatform

from eldonia_ops.cli import logs
from eldonia_ops.cli.client import Client
from eldonia_ops.cli.main import main
from eldonia_ops.model.access import Role
from eldonia_ops.web.app import create_app


class Result:
    """What a run of the command line left: its exit code and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture(scope="module")
def platform() -> FakePlatform:
    return FakePlatform(now=lambda: time.time_ns() // 1_000_000)


@pytest.fixture(scope="module")
def url(platform: FakePlatform) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(platform), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command line in this process, with nothing of the user's own around it."""
    for name in ("ELDONIA_OPS_TOKEN", "ELDONIA_OPS_URL", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        monkeypatch.setattr("sys.argv", ["eldonia-ops", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        return Result(code if isinstance(code, int) else int(code is not None), printed.out, printed.err)

    return call


@pytest.fixture
def ask(run: Run, url: str, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same against the platform, as an administrator."""
    monkeypatch.setenv("ELDONIA_OPS_URL", url)
    monkeypatch.setenv("ELDONIA_OPS_TOKEN", platform.secrets[Role.ADMIN])
    return run


LISTINGS = [
    ("alerts",),
    ("targets",),
    ("slo",),
    ("traces",),
    ("incidents",),
    ("incidents", "list"),
    ("silence", "list"),
    ("security",),
    ("security", "list"),
    ("recovery",),
    ("recovery", "status"),
    ("token", "list"),
]


@pytest.mark.parametrize("command", LISTINGS, ids=" ".join)
def test_every_listing_prints_a_table_or_json(command: tuple[str, ...], ask: Run, platform: FakePlatform) -> None:
    shown = ask(*command)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.count("\n") > 1
    listed = ask(*command, "--json")
    assert listed.code == 0
    assert isinstance(listed.json, list)
    assert listed.json
    assert not any(secret in shown.out + listed.out for secret in platform.secrets.values())


def test_queries(ask: Run) -> None:
    assert ask("query", "up").code == 0
    assert ask("query", "up", "--json").json["type"] == "vector"
    assert ask("query", "up", "--start", "-10m", "--step", "1m", "--json").json["type"] == "matrix"
    assert re.search(r"^up\{.*\} +1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", ask("query", "up").out, re.MULTILINE)
    wrong = ask("query", "sum(")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err.startswith("error: ")
    assert "Traceback" not in wrong.err


def test_logs_are_one_json_object_a_line_oldest_first(ask: Run) -> None:
    found = ask("logs", "--json", "--limit", "20")
    records = [json.loads(line) for line in found.out.splitlines()]
    assert len(records) == 20
    times = [int(record["timestampNs"]) for record in records]
    assert times == sorted(times)
    shown = ask("logs", "--limit", "5", "--level", "error")
    assert shown.code == 0
    assert all(" error " in line for line in shown.out.splitlines())
    assert "Nothing matches" in ask("logs", "nobodyeverwrotethisword").out
    assert "No record of this time has the field componnt; did you mean component?" in ask("logs", "componnt:x").out
    chosen = ask("logs", "--json", "--where", "component=payments", "--where", "level=error message*=failed")
    assert {json.loads(line)["component"] for line in chosen.out.splitlines()} == {"payments"}
    assert "operator is missing" in ask("logs", "--where", "component").err
    assert ask("traces", "--json", "--where", "db.system=~^postgres", "--limit", "2").code == 0
    earlier = ask("logs", "--json", "--until", "-30m").out.splitlines()
    assert int(json.loads(earlier[-1])["timestampNs"]) < time.time_ns() - 30 * 60 * 10**9


def test_searches_with_pipes_are_tables_and_files(ask: Run) -> None:
    table = ask("logs", "* | stats count() as n, uniq(service) as services by level | sort -n")
    assert table.out.splitlines()[0].split() == ["level", "n", "services"]
    numbers = [int(line.split()[1]) for line in table.out.splitlines()[1:]]
    assert numbers == sorted(numbers, reverse=True)
    found = json.loads(ask("logs", "* | timechart 10m count() by level", "--json").out)
    assert found["shape"] == "timechart"
    rows = ask("logs", "* | stats count() as n by level", "--format", "csv").out.splitlines()
    assert rows[0] == "level,n"
    assert sum(int(row.split(",")[1]) for row in rows[1:]) == sum(numbers)
    lines = ask("logs", "level:error", "--format", "ndjson").out.splitlines()
    assert {json.loads(line)["level"] for line in lines} == {"error"}
    wrong = ask("logs", "決済 | stat count()")
    assert wrong.code == 2
    assert wrong.err.splitlines()[-1].startswith("         ^ did you mean stats?")
    assert ask("logs", "--format", "xml").code == 2
    assert "without pipes" in ask("logs", "* | top service", "--follow").err


def test_searches_are_saved_run_and_deleted(ask: Run) -> None:
    assert "by level" not in ask("searches", "list").out
    assert "is saved" in ask("searches", "save", "by level", "* | stats count() as n by level").out
    assert "is replaced" in ask("searches", "save", "by level", "* | stats count() as n by service | sort -n").out
    assert "by level" in ask("searches", "list").out
    assert ask("searches", "run", "by level").out.splitlines()[0].split() == ["service", "n"]
    saved = json.loads(ask("searches", "list", "--json").out)
    saved = [one for one in saved if one["name"] == "by level"]
    assert [one["query"] for one in saved] == ["* | stats count() as n by service | sort -n"]
    assert "no command statz" in ask("searches", "save", "bad", "* | statz").err
    missing = ask("searches", "run", "nothing")
    assert "no saved search is called" in missing.err
    assert "is deleted" in ask("searches", "delete", saved[0]["id"]).out
    assert "by level" not in ask("searches", "list").out


def test_logs_are_searched_in_the_language_of_searches(ask: Run) -> None:
    found = ask("logs", "--json", "level>=warn -service:search (component:payments or message:fail*)", "--limit", "500")
    records = [json.loads(line) for line in found.out.splitlines()]
    assert {record["level"] for record in records} == {"error", "warn"}
    assert "search" not in {record["service"] for record in records}
    above = ask("logs", "--json", "--level", "warning+", "--limit", "200").out.splitlines()
    assert {json.loads(line)["level"] for line in above} == {"error", "warn"}
    wrong = ask("logs", "決済 level:bad", "--since", "today")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err.splitlines()[1].rstrip() == "  決済 level:bad"
    assert wrong.err.splitlines()[2].startswith("  " + " " * len("____ level:") + "^ did you mean level:")


def test_plain_words_that_find_nothing_are_said_as_a_search(ask: Run) -> None:
    user = json.loads(ask("logs", "--json", "user_id:*", "--limit", "1").out)["userId"]
    shown = ask("logs", f"logs of {user}", "--since", "2d").out
    assert re.search(rf"finds \d+ records?:\s+eldonia-ops logs user_id:{user} --since 2d$", shown, re.MULTILINE)


def test_records_around_one(ask: Run) -> None:
    shown = ask("logs", "--cursors", "--limit", "3").out.splitlines()
    cursor = shown[1].split()[0]
    around = ask("logs", "--around", cursor, "--limit", "2").out.splitlines()
    assert len(around) <= 5
    assert [line for line in around if line.startswith("> ")]
    assert ask("logs", "--around", "5-5").code == 1


def test_following_leaves_nothing_out_of_a_burst() -> None:
    records = [{"cursor": str(index)} for index in reversed(range(2_500))]

    class Burst:
        def get(self, path: str, *, after: str, before: str | None, limit: int, **_: object) -> Any:
            left = [one for one in records if int(after) < int(one["cursor"]) < int(before or 10_000)]
            return {"records": left[:limit], "more": len(left) > limit}

    found = logs._newer(cast(Client, Burst()), {"q": ""}, "-1h", "99")
    assert found == records[:2_400]


def test_a_trace_is_shown_with_its_spans(ask: Run) -> None:
    trace = ask("traces", "--json").json[0]
    shown = ask("traces", trace["trace_id"])
    assert shown.code == 0
    assert "█" in shown.out
    assert ask("traces", "0" * 32).code == 1


def test_why_somebody_was_told(ask: Run) -> None:
    assert "receiver" in ask("alerts", "--why", "PaymentGatewayError").out
    assert "The ledger has nothing about Nothing." in ask("alerts", "--why", "Nothing").out


def test_an_incident_is_walked_through_from_the_shell(ask: Run, tmp_path: Path) -> None:
    opened = ask("incidents", "open", "Checkout [slow]", "--service", "shop", "--severity", "high")
    assert opened.code == 0
    reference = opened.out.split()[0]
    assert "Checkout [slow]" in opened.out
    assert "investigating" in ask("incidents", "ack", reference).out
    whole = ask("incidents", "show", reference, "--json").json
    key = whole["incident"]["checklist"][0]["key"]
    assert ask("incidents", "tick", reference, key).code == 0
    assert ask("incidents", "note", reference, "looked at the database").code == 0
    shown = ask("incidents", "show", reference)
    assert "[x]" in shown.out
    assert "looked at the database" in shown.out
    assert "resolved" in ask("incidents", "status", reference, "resolved", "--note", "done").out
    file = tmp_path / "postmortem.md"
    assert ask("incidents", "postmortem", reference, "-o", str(file)).code == 0
    assert "Checkout" in file.read_text()
    unwritable = ask("incidents", "postmortem", reference, "-o", str(tmp_path / "no" / "folder.md"))
    assert unwritable.code == 2
    assert "cannot write" in unwritable.err
    assert ask("incidents", "assign", reference, "sato").code == 0
    assert ask("incidents", "show", reference, "--json").json["incident"]["assigned_to"] == "sato"
    assert "mttr" in ask("incidents", "metrics", "--json").json["all"]
    assert re.search(r"^all +\d+ .* of \d+", ask("incidents", "metrics").out, re.MULTILINE)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets an editor that runs a line of shell on the file, ``$1``."""

    def write(line: str) -> None:
        script = tmp_path / "editor.sh"
        script.write_text(line)
        monkeypatch.setenv("VISUAL", f"sh {script}")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)

    return write


def test_a_postmortem_is_written_in_an_editor(ask: Run, editor: Callable[[str], None], tmp_path: Path) -> None:
    reference = ask("incidents", "open", "Search is slow", "--service", "search").out.split()[0]
    editor('printf "# 検索\\n" > "$1"')
    assert ask("incidents", "postmortem", reference, "--edit").code == 0
    assert ask("incidents", "postmortem", reference).out.strip() == "# 検索"
    editor('test -s "$1"')
    assert "nothing was changed" in ask("incidents", "postmortem", reference, "--edit").out
    editor('printf "more" >> "$1"')
    assert ask("incidents", "postmortem", reference, "--edit").code == 0
    assert "more" in ask("incidents", "postmortem", reference).out
    assert list(tmp_path.glob("postmortem-*.md")) == []
    editor("exit 3")
    failed = ask("incidents", "postmortem", reference, "--edit")
    assert (failed.code, "ended with 3" in failed.err) == (2, True)


def test_a_postmortem_saved_meanwhile_is_kept_and_so_is_the_writers_text(
    ask: Run, editor: Callable[[str], None], url: str, platform: FakePlatform, tmp_path: Path
) -> None:
    reference = ask("incidents", "open", "Search is slow again", "--service", "search").out.split()[0]
    colleague = Client(url, platform.secrets[Role.RESPONDER])
    path = f"/incidents/{reference}/postmortem"
    request = f"{url}/api/ops/v1{path}"
    headers = "{'Authorization': 'Bearer ' + sys.argv[1], 'If-None-Match': '*'}"
    editor(
        f'"{sys.executable}" -c "import httpx, sys; '
        f"httpx.put('{request}', content='theirs', headers={headers}).raise_for_status()\" "
        f'{platform.secrets[Role.RESPONDER]} && printf "mine" > "$1"'
    )
    refused = ask("incidents", "postmortem", reference, "--edit")
    assert refused.code == 1
    [kept] = tmp_path.glob("postmortem-*.md")
    assert kept.name in refused.err
    assert kept.read_text() == "mine"
    assert kept.stat().st_mode & 0o077 == 0
    assert colleague.get_text(path)[0] == "theirs"
    colleague.close()


def test_the_answer_no_is_exit_code_1(ask: Run) -> None:
    unknown = ask("incidents", "show", "INC-999")
    assert (unknown.code, unknown.out) == (1, "")
    assert "INC-999" in unknown.err
    assert ask("incidents", "ack", "INC-1").code == 1, "it is over"
    assert ask("silence", "expire", "nothing").code == 1
    assert ask("recovery", "reset", "nothing").code == 1


@pytest.mark.parametrize("reference", ["../tokens", "INC-1/notes", "INC-1?lang=ja", "..", ""])
def test_what_is_typed_for_a_name_leads_nowhere_else(reference: str, ask: Run) -> None:
    answer = ask("incidents", "show", reference)
    assert answer.code in (1, 2)
    assert "Traceback" not in answer.err


def test_silences_come_and_go(ask: Run) -> None:
    made = ask("silence", "add", "alertname=DiskFull", "path=~'/var.*'", "--for", "2h", "--comment", "a new disk")
    assert made.code == 0
    id = made.out.split()[1]
    assert f"eldonia-ops silence expire {id}" in made.out
    listed = {item["id"]: item for item in ask("silence", "list", "--json").json}
    assert [(one["name"], one["op"], one["value"]) for one in listed[id]["matchers"]] == [
        ("alertname", "=", "DiskFull"),
        ("path", "=~", "/var.*"),
    ]
    assert ask("silence", "expire", id).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("silence", "add", "nonsense", "--comment", "x"), "is no condition"),
        (("silence", "add", "a=b", "--for", "soon", "--comment", "x"), "--for"),
        (("silence", "add", "a=b"), "comment"),
        (("recovery", "maintenance", "shop", "maybe"), "write on or off"),
        (("incidents", "status", "INC-2", "sleeping"), "status"),
        (("logs", "--limit", "0"), "limit"),
        (("logs", "--level", "loud"), "there is no level 'loud'"),
        (("logs", "--follow", "--until", "-5m"), "leave --until out"),
        (("alerts", "--url", "nonsense"), "not the address of a platform: 'nonsense'"),
        (("alerts", "--url", "http://"), "write it like http://127.0.0.1:9600"),
        (("alerts", "--url", "http://[::1"), "not the address of a platform"),
        (("alerts", "--token", "hunter2\nhunter2"), "the token holds characters that no token has"),
        (("alerts", "--token", "hunter2トークン"), "the token holds characters that no token has"),
        (("query",), "Missing argument"),
        (("nothing",), "No such command"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...], said: str, ask: Run) -> None:
    answer = ask(*arguments)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert "hunter2" not in answer.err


def test_findings_are_judged_and_recovery_has_its_brake(ask: Run) -> None:
    finding = ask("security", "--json").json[0]
    judged = ask("security", "status", finding["id"], "investigating", "--note", "looking")
    assert "is investigating" in judged.out
    assert "by_type" in ask("security", "report", "--json").json
    assert re.search(r"^source +\S+ +\d+ +\d+", ask("security", "report").out, re.MULTILINE)
    service = ask("recovery", "--json").json[0]["service"]
    assert "maintenance on" in ask("recovery", "maintenance", service, "on").out
    assert "maintenance off" in ask("recovery", "maintenance", service, "off").out


def test_tokens_are_shown_once_and_revoked(ask: Run, run: Run, url: str) -> None:
    secret = ask("token", "create", "dashboard", "--role", "viewer", "--expires", "90d").out.strip()
    assert run("alerts", "--url", url, "--token", secret).code == 0
    denied = run("silence", "add", "a=b", "--comment", "x", "--url", url, "--token", secret)
    assert denied.code == 2
    assert secret not in denied.err
    listed = next(item for item in ask("token", "list", "--json").json if item["name"] == "dashboard")
    assert listed["expires_at"] == listed["created_at"] + 90 * 86_400_000
    id = listed["id"]
    assert ask("token", "revoke", id).code == 0
    assert run("alerts", "--url", url, "--token", secret).code == 2


def test_without_a_token_it_says_how_to_give_one(run: Run, url: str) -> None:
    denied = run("alerts", "--url", url)
    assert (denied.code, denied.out) == (2, "")
    assert "ELDONIA_OPS_TOKEN" in denied.err


def test_the_admin_token_of_this_machine_is_used_here_and_never_sent_elsewhere(
    run: Run, url: str, platform: FakePlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data" / "eldonia-ops"
    folder.mkdir(parents=True)
    (folder / "admin.token").write_text(platform.secrets[Role.ADMIN] + "\n")
    (tmp_path / "eldonia-ops.yml").write_text("data: data/eldonia-ops\n")
    assert run("token", "list", "--url", url).code == 0

    sent: list[dict[str, str]] = []
    monkeypatch.setattr(
        "eldonia_ops.cli.client.httpx.Client", lambda **options: sent.append(options["headers"]) or _Silent()
    )
    for elsewhere in ("http://ops.example.com", "http://192.0.2.1:9600", "http://127.0.0.1.example.com"):
        assert run("alerts", "--url", elsewhere).code == 2
    assert sent == [{}, {}, {}]


def test_the_settings_in_this_folder_say_where_the_platform_is(
    run: Run, url: str, platform: FakePlatform, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "admin.token").write_text(platform.secrets[Role.ADMIN] + "\n")
    settings = tmp_path / "eldonia-ops.yml"
    settings.write_text(f"listen: {url.removeprefix('http://')}\ndata: data\nobjectives: not a list\n")
    assert run("token", "list").code == 0  # a fault elsewhere in the file does not hide the address
    settings.write_text("listen: [\n")
    broken = run("token", "list", "--url", "")
    assert broken.code == 2
    assert "eldonia-ops.yml is not used" in broken.err
    settings.write_text(f"listen: {url.removeprefix('http://')}\ndata: data\n")
    settings.chmod(0o666)
    foreign = run("token", "list")
    assert foreign.code == 2
    assert "another user may write it" in foreign.err


class _Silent:
    """A connection to a machine that does not answer."""

    def request(self, *_: object, **__: object) -> None:
        import httpx

        raise httpx.ConnectError("no route")


def test_a_platform_that_does_not_run_is_said_so(run: Run) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        answer = run("alerts", "--url", f"http://127.0.0.1:{port}")
    assert (answer.code, answer.out) == (2, "")
    assert "nothing answers" in answer.err
    assert "eldonia-ops serve" in answer.err


COMMANDS = (
    ("query", "up"), ("query", "up", "--start", "-1h"), ("logs",), ("logs", "--json"), ("traces",), ("traces", "abc"),
    ("alerts",), ("alerts", "--why", "A"), ("targets",), ("slo",), ("incidents",), ("incidents", "list"),
    ("incidents", "show", "1"), ("incidents", "ack", "1"), ("incidents", "assign", "1", "hana"),
    ("incidents", "status", "1", "closed"), ("incidents", "tick", "1", "k"), ("incidents", "note", "1", "t"),
    ("incidents", "open", "t", "--service", "s"), ("incidents", "postmortem", "1"), ("incidents", "metrics"),
    ("silence", "list"), ("silence", "add", "a=b", "--comment", "c"), ("silence", "expire", "x"), ("security",),
    ("security", "list"), ("security", "status", "x", "open"), ("security", "report"), ("recovery",),
    ("recovery", "status"), ("recovery", "maintenance", "s", "on"), ("recovery", "reset", "s"), ("token", "list"),
    ("token", "create", "n"), ("token", "revoke", "x"),
)  # fmt: skip


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that answers whatever comes with the same bytes."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def response(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


ANSWERS = (
    (response("200 OK", "text/html", b"<h1>It works!</h1>"), "is not Eldonia Ops"),
    (response("404 Not Found", "text/html", b"<h1>Not Found</h1>"), "is not Eldonia Ops"),
    (response("404 Not Found", "application/json", b'{"error": "not found"}'), "is not Eldonia Ops"),
    (response("405 Method Not Allowed", "text/plain", b"no"), "is not Eldonia Ops"),
    (response("200 OK", "application/json", b'{"cut": '), "is not Eldonia Ops"),
    (response("200 OK", "application/json", b"\xff\xfe"), "is not Eldonia Ops"),
    (response("200 OK", "application/json", b"[" * 100_000), "is not Eldonia Ops"),
    (response("502 Bad Gateway", "text/html", b"<h1>Bad Gateway</h1>"), "502"),
    (response("401 Unauthorized", "text/plain", b"no"), "--token"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "https where http"),
    (b"\x15\x03\x01\x00\x02\x02\x46", "https where http"),
    (b"", "https where http"),
)


@pytest.mark.parametrize(("turn", "answer", "said"), [(turn, *one) for turn, one in enumerate(ANSWERS)])
def test_whatever_answers_no_command_ends_in_a_traceback(turn: int, answer: bytes, said: str, run: Run) -> None:
    # All commands read answers in one place: each answer meets a quarter of them, each command three answers.
    with answering(answer) as address:
        for command in COMMANDS[turn % 4 :: 4]:
            result = run(*command, "--url", f"http://{address}")
            if command[:2] == ("incidents", "postmortem") and b"json" in answer and b"200 OK" in answer:
                continue  # a text is what it is
            assert (result.code, "Traceback" in result.err) == (1 if "502" in said else 2, False), (command, result.err)
            assert said in result.err, command


@pytest.mark.parametrize("document", ["{}", "[]", "null", "3", '"text"', "[1]", '[{"a": 1}]', '{"records": 3}'])
def test_json_that_is_not_ours_is_said_to_make_no_sense(document: str, run: Run) -> None:
    with answering(response("200 OK", "application/json", document.encode())) as address:
        for command in COMMANDS:
            result = run(*command, "--url", f"http://{address}")
            assert "Traceback" not in result.err, command
            assert result.code in (0, 2), command
            assert result.code == 0 or "makes no sense" in result.err, (command, result.err)


def test_tls_at_a_plain_port_and_a_language_that_there_is_not(run: Run, ask: Run, url: str) -> None:
    result = run("alerts", "--url", url.replace("http:", "https:"))
    assert result.code == 2
    assert "http where https" in result.err
    result = ask("incidents", "show", "1", "--lang", "fr")
    assert result.code == 2
    assert "en and ja" in result.err


def test_files_are_checked_without_a_platform(run: Run, tmp_path: Path) -> None:
    assert run("version").out.startswith("eldonia-ops ")
    assert run("check", "nothing.yml").code == 2
    rules = tmp_path / "rules.yml"
    rules.write_text("groups:\n  - name: g\n    rules:\n      - {alert: A, expr: 'up =='}\n")
    faulty = run("check", str(rules))
    assert faulty.code == 1
    assert f"{rules}:4:" in faulty.out
    (fault,) = run("check", str(rules), "--json").json
    assert (fault["line"], fault["level"]) == (4, "error")
    rules.write_text("groups:\n  - name: g\n    rules:\n      - {alert: A, expr: 'up == 0'}\n")
    assert run("check", str(rules)).code == 0


def test_promql_works_without_a_platform(run: Run, tmp_path: Path) -> None:
    assert run("promql", "format", "sum(rate(x[5m]))by(job)").out == "sum by (job) (rate(x[5m]))\n"
    wrong = run("promql", "format", "sum(")
    assert wrong.code == 1
    assert "^" in wrong.err
    file = tmp_path / "cases.test"
    file.write_text("load 1m\n  up 1 1\n\neval instant at 1m up\n  up 1\n")
    assert run("promql", "test", str(file)).code == 0
    file.write_text("load 1m\n  up 1 1\n\neval instant at 1m up\n  up 2\n")
    failed = run("promql", "test", "-v", str(file))
    assert failed.code == 1
    assert "failed" in failed.out
    assert run("promql", "test", str(tmp_path / "nothing")).code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listn: 127.0.0.1:1\n", ("eldonia-ops.yml:1:1", "listen")),
        ("listen: 127.0.0.1:99999\n", ("eldonia-ops.yml:1:9",)),
        ("scrape:\n  - {job: a, targets: [x:1], intervall: 5s}\n", ("eldonia-ops.yml:2:", "interval")),
        ("alertmanager: {file: am.yml}\n", ("am.yml:1:", "receiver")),
        ("a: [\n", ("eldonia-ops.yml:",)),
    ],
)
def test_serve_names_the_place_of_a_fault_before_anything_is_opened(
    text: str, said: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    (tmp_path / "eldonia-ops.yml").write_text(text)
    (tmp_path / "am.yml").write_text("route: {receivr: team}\nreceivers: [{name: team}]\n")
    answer = run("serve", "-c", "eldonia-ops.yml", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0")
    assert (answer.code, answer.out) == (2, "")
    for words in said:
        assert words in answer.err
    assert not (tmp_path / "data").exists()
    assert run("serve", "--listen", "nonsense", "--data", str(tmp_path / "data")).code == 2


def test_serve_shows_nothing_that_came_from_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_RECEIVER", "s3cr3t-value")
    (tmp_path / "eldonia-ops.yml").write_text(
        "alertmanager: {file: am.yml}\n"
        "incidents: {escalation: [{tier: development}, {tier: management, receiver: '${TEAM_RECEIVER}', after: 1h}]}\n"
    )
    (tmp_path / "am.yml").write_text(
        "route: {receiver: r}\n"
        "receivers: [{name: r, webhook_configs: [{url: 'ftp://${TEAM_RECEIVER}/', max_alerts: '${TEAM_RECEIVER}'}]}]\n"
    )
    for wrong in (True, False):
        answer = run("serve", "-c", "eldonia-ops.yml", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0")
        assert (answer.code, answer.out) == (2, "")
        assert "${TEAM_RECEIVER}" in answer.err
        assert "s3cr3t-value" not in answer.err
        if wrong:  # then the fault across files alone
            (tmp_path / "am.yml").write_text("route: {receiver: r}\nreceivers: [{name: r}]\n")


def test_a_receiver_that_is_lacked_is_a_warning_and_with_strict_an_error(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "am.yml"
    file.write_text("route: {receiver: r}\nreceivers: [{name: r, opsgenie_configs: [{api_key: k}]}]\n")
    loose = run("check", str(file))
    assert loose.code == 0
    assert "warning: opsgenie_configs of receiver 'r' is not supported yet" in loose.out
    strict = run("check", "--strict", str(file))
    assert strict.code == 1
    assert "error: opsgenie_configs of receiver 'r' is not supported yet" in strict.out
    assert strict.out.splitlines()[-1] == "1 error"
    assert [one["level"] for one in run("check", "--strict", "--json", str(file)).json] == ["error"]
    file.write_text("route: {receiver: r}\nreceivers: [{name: r}]\n")
    assert run("check", "--strict", str(file)).code == 0
    assert "receivers that cannot be notified" in " ".join(run("check", "--help").out.split())
