"""Alertmanager's files that are accepted and refused, against its own tool."""

import random
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from required_tools import find_tool, requires_tool

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.protocols.alertmanager.config import parse_alertmanager_config

AMTOOL = find_tool("amtool") or ""
pytestmark = requires_tool("amtool")

HEAD = "route: {receiver: r}\nreceivers:\n- name: r\n"


def webhook(http_config: str) -> str:
    return f"{HEAD}  webhook_configs: [{{url: 'http://x/', http_config: {{{http_config}}}}}]\n"


FILES: Mapping[str, str] = {
    "smallest": HEAD,
    "empty": "",
    "no route": "receivers: [{name: r}]\n",
    "no receivers": "route: {receiver: r}\n",
    "unknown receiver": HEAD.replace("receiver: r", "receiver: s"),
    "receiver twice": HEAD + "- name: r\n",
    "receiver without name": HEAD + "- webhook_configs: []\n",
    "unknown key": HEAD + "routes: []\n",
    "unknown key of a route": HEAD.replace("receiver: r}", "receiver: r, recevier: r}"),
    "matchers in the root": HEAD.replace("receiver: r}", "receiver: r, matchers: ['a=b']}"),
    "continue in the root": HEAD.replace("receiver: r}", "receiver: r, continue: true}"),
    "child routes": HEAD.replace("receiver: r}", "receiver: r, routes: [{matchers: ['a=b'], continue: true}]}"),
    "bad matcher": HEAD.replace("receiver: r}", "receiver: r, routes: [{matchers: ['a']}]}"),
    "bad regular expression": HEAD.replace("receiver: r}", "receiver: r, routes: [{matchers: ['a=~\"(\"']}]}"),
    "match": HEAD.replace("receiver: r}", "receiver: r, routes: [{match: {a: b}, match_re: {c: 'd|e'}}]}"),
    "bad match_re": HEAD.replace("receiver: r}", "receiver: r, routes: [{match_re: {c: '('}}]}"),
    "group by all": HEAD.replace("receiver: r}", "receiver: r, group_by: ['...']}"),
    "group by all and more": HEAD.replace("receiver: r}", "receiver: r, group_by: ['...', a]}"),
    "group by twice": HEAD.replace("receiver: r}", "receiver: r, group_by: [a, a]}"),
    "group by without brackets": HEAD.replace("receiver: r}", "receiver: r, group_by: a}"),
    "equal without brackets": HEAD
    + "inhibit_rules: [{source_matchers: ['a=b'], target_matchers: ['c=d'], equal: e}]\n",
    "templates without brackets": HEAD + "templates: a\n",
    "matchers without brackets": HEAD.replace("receiver: r}", "receiver: r, routes: [{matchers: 'a=b'}]}"),
    "braces in a host": HEAD + "  webhook_configs: [{url: 'http://x}/'}]\n",
    "bad group by": HEAD.replace("receiver: r}", "receiver: r, group_by: ['a-b']}"),
    "durations": HEAD.replace("receiver: r}", "receiver: r, group_wait: 0s, group_interval: 1m30s}"),
    "group interval of zero": HEAD.replace("receiver: r}", "receiver: r, group_interval: 0s}"),
    "repeat interval of zero": HEAD.replace("receiver: r}", "receiver: r, repeat_interval: 0s}"),
    "bad duration": HEAD.replace("receiver: r}", "receiver: r, group_wait: 5 min}"),
    "inhibit rule": HEAD + "inhibit_rules: [{source_matchers: ['a=b'], target_matchers: ['c=d'], equal: [e]}]\n",
    "time interval": HEAD + "time_intervals: [{name: t, time_intervals: [{weekdays: ['monday:friday']}]}]\n",
    "time interval twice": HEAD + "time_intervals: [{name: t}, {name: t}]\n",
    "bad weekday": HEAD + "time_intervals: [{name: t, time_intervals: [{weekdays: [someday]}]}]\n",
    "bad times": HEAD
    + "time_intervals: [{name: t, time_intervals: [{times: [{start_time: '25:00', end_time: '26:00'}]}]}]\n",
    "times backwards": HEAD
    + "time_intervals: [{name: t, time_intervals: [{times: [{start_time: '20:00', end_time: '08:00'}]}]}]\n",
    "bad zone": HEAD + "time_intervals: [{name: t, time_intervals: [{location: Nowhere/Else}]}]\n",
    "unknown interval": HEAD.replace("receiver: r}", "receiver: r, routes: [{mute_time_intervals: [t]}]}"),
    "slack without address": HEAD + "  slack_configs: [{channel: a}]\n",
    "slack": HEAD + "  slack_configs: [{api_url: 'http://x/', channel: a}]\n",
    "slack of global": "global: {slack_api_url: 'http://x/'}\n" + HEAD + "  slack_configs: [{channel: a}]\n",
    "slack address and file": HEAD + "  slack_configs: [{api_url: 'http://x/', api_url_file: f, channel: a}]\n",
    "slack action without url": HEAD
    + "  slack_configs: [{api_url: 'http://x/', actions: [{type: button, text: t}]}]\n",
    "pagerduty": HEAD + "  pagerduty_configs: [{routing_key: k}]\n",
    "pagerduty without key": HEAD + "  pagerduty_configs: [{}]\n",
    "webhook without url": HEAD + "  webhook_configs: [{}]\n",
    "webhook with a bad url": HEAD + "  webhook_configs: [{url: 'ftp://x/'}]\n",
    "email": HEAD + "  email_configs: [{to: a@b, from: c@d, smarthost: 'h:25'}]\n",
    "email without smarthost": HEAD + "  email_configs: [{to: a@b, from: c@d}]\n",
    "email without to": HEAD + "  email_configs: [{from: c@d, smarthost: 'h:25'}]\n",
    "opsgenie": HEAD + "  opsgenie_configs: [{api_key: k}]\n",
    "proxy": webhook("proxy_url: 'http://p:1/'"),
    "socks": webhook("proxy_url: 'socks5://p:1'"),
    "no_proxy": webhook("proxy_url: 'http://p:1/', no_proxy: 'a,b'"),
    "no_proxy without proxy": webhook("no_proxy: a"),
    "proxy of the environment": webhook("proxy_from_environment: true"),
    "two proxies": webhook("proxy_from_environment: true, proxy_url: 'http://p:1/'"),
    "proxy of the environment and no_proxy": webhook("proxy_from_environment: true, no_proxy: a"),
    "proxy headers": webhook("proxy_url: 'http://p:1/', proxy_connect_header: {A: [b]}"),
    "proxy headers without proxy": webhook("proxy_connect_header: {A: [b]}"),
    "authorization": webhook("authorization: {credentials: c}"),
    "authorization of kind basic": webhook("authorization: {type: basic, credentials: c}"),
    "two credentials": webhook("authorization: {credentials: c, credentials_file: f}"),
    "bearer token": webhook("bearer_token: c"),
    "bearer token and authorization": webhook("bearer_token: c, authorization: {credentials: c}"),
    "basic": webhook("basic_auth: {username: u, password: p}"),
    "basic and bearer": webhook("basic_auth: {username: u, password: p}, bearer_token: c"),
    "oauth2": webhook("oauth2: {client_id: c, client_secret: s, token_url: 'http://t/', scopes: [a]}"),
    "oauth2 without client": webhook("oauth2: {client_secret: s, token_url: 'http://t/'}"),
    "oauth2 without token_url": webhook("oauth2: {client_id: c, client_secret: s}"),
    "oauth2 with two secrets": webhook(
        "oauth2: {client_id: c, client_secret: s, client_secret_file: f, token_url: 'http://t/'}"
    ),
    "oauth2 and basic": webhook(
        "oauth2: {client_id: c, client_secret: s, token_url: 'http://t/'}, basic_auth: {username: u}"
    ),
    "tls": webhook("tls_config: {ca_file: c, cert_file: a, key_file: b, server_name: n, min_version: TLS12}"),
    "certificate without key": webhook("tls_config: {cert_file: a}"),
    "key without certificate": webhook("tls_config: {key_file: a}"),
    "bad version of tls": webhook("tls_config: {min_version: TLS1.2}"),
    "versions of tls": webhook("tls_config: {min_version: TLS11, max_version: TLS13}"),
    "unknown key of http_config": webhook("proxy: a"),
    "redirects and http2": webhook("follow_redirects: false, enable_http2: false"),
}  # fmt: skip
EXCEPTIONS: Mapping[str, str] = {
    "bad group by": "newer: names may hold any characters",
    "no_proxy": "newer than amtool 0.25",
    "proxy of the environment": "newer than amtool 0.25",
    "certificate without key": "newer ones refuse it too: nothing could be sent",
    "key without certificate": "newer ones refuse it too: nothing could be sent",
}
"""Where the installed amtool differs, and why. One that does not differ any more may simply be newer."""
NEWER = re.compile(r"invalid label name|bad matcher format|field \S+ not found in type config\.")
"""What amtool refuses because it is older: names of any characters, and keys that were added since."""

STRICTER = re.compile(r"^\w+ of \w+_configs of receiver ")
"""What amtool lets pass: it does not look into templates, which then fail at each notification."""


def ours(text: str) -> list[str]:
    try:
        parse_alertmanager_config(text, "am.yml", kinds=built_in())
    except ConfigError as error:
        return [item.message for item in error.diagnostics if item.level == "error"]
    return []


def theirs(path: Path) -> str:
    """What amtool finds wrong, '' for nothing."""
    done = subprocess.run([AMTOOL, "check-config", str(path)], capture_output=True, text=True, timeout=20, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()


def differences(folder: Path, texts: Iterable[tuple[str, str]]) -> dict[str, tuple[list[str], str]]:
    found: dict[str, tuple[list[str], str]] = {}
    path = folder / "am.yml"
    for name, text in texts:
        path.write_text(text, "utf-8")
        mine, other = ours(text), theirs(path)
        if bool(mine) != bool(other):
            found[name] = mine, other
    return found


def test_small_files(tmp_path: Path) -> None:
    found = differences(tmp_path, FILES.items())
    assert {name: verdicts for name, verdicts in found.items() if name not in EXCEPTIONS} == {}


WHOLE = """global: {slack_api_url: 'http://s/', resolve_timeout: 5m}
route:
  receiver: all
  group_by: [alertname, service]
  group_wait: 30s
  routes:
    - receiver: critical
      matchers: ['severity="critical"', team=~a|b]
      continue: true
      mute_time_intervals: [nights]
receivers:
  - name: all
    slack_configs: [{channel: '#ops', title: '{{ .CommonLabels.alertname }}'}]
  - name: critical
    webhook_configs: [{url: 'http://x/', send_resolved: false, http_config: {bearer_token: t}}]
inhibit_rules:
  - {source_matchers: [a="b"], target_matchers: [c="d"], equal: [e]}
time_intervals:
  - name: nights
    time_intervals:
      - {times: [{start_time: '00:00', end_time: '06:00'}], weekdays: ['monday:friday'], location: Asia/Tokyo}
"""


def test_slips_of_the_keyboard(tmp_path: Path) -> None:
    """One or two characters of a sound file put in, left out or doubled: what amtool refuses is refused."""
    rng = random.Random(1)
    texts: list[tuple[str, str]] = []
    for _ in range(150):
        text = WHOLE
        for _ in range(rng.randint(1, 2)):
            at = rng.randrange(len(text))
            put = rng.choice(["", "", *"-:[]{}(),\"' #&*|>%~=$aA0.\n"])
            text = text[:at] + put + text[at + rng.randint(0, 1) :]
        texts.append((text, text))
    found = differences(tmp_path, texts)
    unknown = [
        (text, faults, said)
        for text, (faults, said) in found.items()
        if not (NEWER.search(said) if said else all(map(STRICTER.search, faults)))
    ]
    assert unknown == []
