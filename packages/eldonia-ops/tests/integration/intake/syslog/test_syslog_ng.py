"""syslog-ng with its own outputs, unmodified. Debian's package conflicts with rsyslog's: it is unpacked, not installed.

``SYSLOG_NG_ROOT`` names the folder into which ``dpkg -x`` put ``syslog-ng-core``, ``-mod-http``, ``-scl`` and their
libraries ``libivykis0``, ``libnet1`` and ``libpcre3``.
"""

import os
from collections import Counter
from pathlib import Path

from certificates import Authority
from local_server import free_port
from log_senders import await_stored, daemon
from required_tools import requires_tool, requires_variable
from serving import serving

LINES = 400
TEXTS = [f'order {n} of "shop" 注文 \\ done' for n in range(2 * LINES)]
QUIET = {"rules": {"defaults": False}}
CONFIGURATION = """
@version: 3.38
@include "{root}/usr/share/syslog-ng/include/scl/elasticsearch/elastic-http.conf"
options {{ time-reopen(1); stats-freq(0); }};
source lines {{ file("{folder}/in.log" follow-freq(0.5) flags(no-parse) program-override("shop")
  default-facility(local0) default-priority(error)); }};
{outputs}
"""

pytestmark = [requires_variable("SYSLOG_NG_ROOT"), requires_tool("openssl")]


def command(folder: Path, outputs: str) -> list[str | Path]:
    root = Path(os.environ["SYSLOG_NG_ROOT"])
    (folder / "syslog-ng.conf").write_text(CONFIGURATION.format(root=root, folder=folder, outputs=outputs))
    return [
        root / "usr/sbin/syslog-ng", "--foreground", "--no-caps", "--stderr",
        f"--module-path={next((root / 'usr/lib/syslog-ng').glob('*.*/'))}",
        f"--cfgfile={folder / 'syslog-ng.conf'}", f"--persist-file={folder / 'persist'}",
        f"--pidfile={folder / 'pid'}", f"--control={folder / 'control'}",
    ]  # fmt: skip


def environment() -> dict[str, str]:
    root = os.environ["SYSLOG_NG_ROOT"]
    libraries = ("usr/lib/syslog-ng", "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(f"{root}/{one}" for one in libraries)}


def write(folder: Path, texts: list[str]) -> None:
    with (folder / "in.log").open("a", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in texts)


def test_it_loses_nothing_that_elasticsearch_acknowledges(tmp_path: Path) -> None:
    main, elasticsearch, syslog = free_port(), free_port(), free_port()
    settings = {
        **QUIET,
        "listeners": {
            "elasticsearch": {"port": elasticsearch, "anonymous": "ingest"},
            "syslog": {"port": syslog, "anonymous": "ingest"},
        },
    }
    outputs = f"""
      destination documents {{ elasticsearch-http(url("http://127.0.0.1:{elasticsearch}/_bulk") type("") index("ng")
        batch-timeout(300) time-reopen(1) template("$(format-json @timestamp=$ISODATE level=$LEVEL service=$PROGRAM
        message=$MESSAGE)")); }};
      destination counted {{ syslog("127.0.0.1" transport("tcp") port({syslog}) persist-name("counted")); }};
      destination lines {{ network("127.0.0.1" transport("tcp") port({syslog})); }};
      destination datagrams {{ network("127.0.0.1" transport("udp") port({syslog})); }};
      log {{ source(lines); destination(documents); }};
      log {{ source(lines); destination(counted); destination(lines); destination(datagrams); }};
    """
    sender = tmp_path / "syslog-ng"
    sender.mkdir()
    write(sender, [])
    with daemon(command(sender, outputs), sender / "log", environment()):
        with serving(tmp_path / "ops", settings, port=main) as platform:
            write(sender, TEXTS[:LINES])
            found = await_stored(platform, 4 * LINES)
            assert Counter(one["source"] for one in found) == {"elasticsearch": LINES, "syslog (127.0.0.1)": 3 * LINES}
            assert Counter(one["message"] for one in found) == Counter(TEXTS[:LINES] * 4)
            assert {(one["service"], one["level"]) for one in found} == {("shop", "error")}
            platform.kill()
        write(sender, TEXTS[LINES:])
        with serving(tmp_path / "ops", settings, port=main) as platform:
            found = await_stored(platform, 2 * LINES, "elasticsearch")
            assert Counter(one["message"] for one in found) == Counter(TEXTS)


def test_over_tls_with_a_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server, client = authority.issue("ops"), authority.issue("web-1")
    port = free_port()
    tls = {"cert_file": server.certificate, "key_file": server.key, "client_ca_file": authority.certificate}
    outputs = f"""
      destination secured {{ syslog("127.0.0.1" transport("tls") port({port}) tls(ca-file("{authority.certificate}")
        cert-file("{client.certificate}") key-file("{client.key}") peer-verify(required-trusted))); }};
      log {{ source(lines); destination(secured); }};
    """
    sender = tmp_path / "syslog-ng"
    sender.mkdir()
    write(sender, TEXTS[:LINES])
    settings = {**QUIET, "listeners": {"syslog": {"port": port, "tls": tls}}}
    with (
        serving(tmp_path / "ops", settings) as platform,
        daemon(command(sender, outputs), sender / "log", environment()),
    ):
        found = await_stored(platform, LINES)
    assert Counter(one["message"] for one in found) == Counter(TEXTS[:LINES])
    assert {one["source"] for one in found} == {"syslog web-1 (127.0.0.1)"}
