"""rsyslog with its own outputs (omfwd, omelasticsearch), unmodified, to a platform that is killed in between."""

from collections import Counter
from pathlib import Path
from typing import Any

from certificates import Authority
from local_server import free_port
from log_senders import await_stored, daemon
from required_tools import requires_tool, tool
from serving import serving

LINES = 400
TEXTS = [f'order {n} of "shop"\t注文 \\ done' for n in range(2 * LINES)]
QUIET = {"rules": {"defaults": False}}
START = """
global(workDirectory="{folder}" {files})
module(load="imfile" mode="polling" pollingInterval="1")
module(load="omelasticsearch")
template(name="document" type="list" option.jsonf="on") {{
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="level" name="syslogseverity-text" format="jsonf")
  property(outname="service" name="programname" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
input(type="imfile" File="{folder}/in.log" Tag="shop:" Severity="error" Facility="local0" ruleset="all")
ruleset(name="all") {{
  {actions}
}}
"""
KEPT = 'action.resumeRetryCount="-1" action.resumeInterval="1" queue.type="linkedList" queue.size="10000"'


def configuration(folder: Path, actions: str, files: str = "") -> Path:
    file = folder / "rsyslog.conf"
    file.write_text(START.format(folder=folder, actions=actions, files=files))
    return file


def write(folder: Path, texts: list[str]) -> None:
    with (folder / "in.log").open("a", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in texts)


def by_text(found: list[dict[str, Any]]) -> Counter[str]:
    return Counter(one["message"] for one in found)


@requires_tool("rsyslogd")
def test_it_loses_nothing_that_elasticsearch_acknowledges(tmp_path: Path) -> None:
    main, elasticsearch, syslog = free_port(), free_port(), free_port()
    settings = {
        **QUIET,
        "listeners": {
            "elasticsearch": {"port": elasticsearch, "anonymous": "ingest"},
            "syslog": {"port": syslog, "anonymous": "ingest"},
        },
    }
    sender = tmp_path / "rsyslog"
    sender.mkdir()
    target = f'type="omfwd" target="127.0.0.1" port="{syslog}"'
    actions = f"""
      action(type="omelasticsearch" server="127.0.0.1" serverport="{elasticsearch}" template="document" bulkmode="on"
        searchIndex="rsyslog-app" searchType="" errorfile="{sender}/refused" {KEPT})
      action({target} protocol="tcp" template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted" {KEPT})
      action({target} protocol="tcp" template="RSYSLOG_ForwardFormat" TCP_Framing="traditional" {KEPT})
      action({target} protocol="udp" template="RSYSLOG_TraditionalForwardFormat")
    """
    write(sender, [])
    command = [tool("rsyslogd"), "-n", "-f", configuration(sender, actions), "-i", sender / "pid"]
    with daemon(command, sender / "log"):
        with serving(tmp_path / "ops", settings, port=main) as platform:
            write(sender, TEXTS[:LINES])
            found = await_stored(platform, 4 * LINES)
            ways = Counter(one["source"] for one in found)
            assert ways == {"elasticsearch": LINES, "syslog (127.0.0.1)": 3 * LINES}
            assert by_text(found) == Counter(TEXTS[:LINES] * 4)
            assert {(one["service"], one["level"]) for one in found} == {("shop", "error")}
            assert not (sender / "log").read_text()
            platform.kill()
        write(sender, TEXTS[LINES:])
        with serving(tmp_path / "ops", settings, port=main) as platform:
            found = await_stored(platform, 2 * LINES, "elasticsearch")
            assert by_text(found) == Counter(TEXTS)
    assert not (sender / "refused").exists()


@requires_tool("openssl")
@requires_tool("rsyslogd")
def test_over_tls_with_a_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server, client = authority.issue("ops"), authority.issue("web-1")
    port = free_port()
    tls = {
        "cert_file": server.certificate,
        "key_file": server.key,
        "client_ca_file": authority.certificate,
    }
    sender = tmp_path / "rsyslog"
    sender.mkdir()
    actions = f"""
      action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"
        TCP_Framing="octet-counted" StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
        StreamDriverPermittedPeers="ops" {KEPT})
    """
    write(sender, TEXTS[:LINES])
    files = (
        f'defaultNetstreamDriverCAFile="{authority.certificate}" '
        f'defaultNetstreamDriverCertFile="{client.certificate}" defaultNetstreamDriverKeyFile="{client.key}"'
    )
    command = [tool("rsyslogd"), "-n", "-f", configuration(sender, actions, files), "-i", sender / "pid"]
    settings = {**QUIET, "listeners": {"syslog": {"port": port, "tls": tls}}}
    with serving(tmp_path / "ops", settings) as platform, daemon(command, sender / "log"):
        found = await_stored(platform, LINES)
    assert by_text(found) == Counter(TEXTS[:LINES])
    assert {one["source"] for one in found} == {"syslog web-1 (127.0.0.1)"}
    assert not (sender / "log").read_text()
