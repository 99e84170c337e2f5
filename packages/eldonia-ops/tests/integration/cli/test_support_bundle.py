"""A support bundle of a platform with secrets in every place: none of them is in it."""

import json
import tarfile

from serving import run_command, serving

SECRETS = {
    "scrape": "secret-of-the-scrape-1a",
    "basic": "secret-of-basic-auth-2b",
    "dsn": "secret-of-postgres-3c",
    "redis": "secret-of-redis-4d",
    "header": "secret-of-a-header-5e",
    "webhook": "secret-of-recovery-6f",
    "environment": "secret-of-a-variable-7g",
    "file": "secret-of-a-file-8h",
    "slack": "T000/B000/secretofslack9i",
    "pagerduty": "secretofpagerduty00000000000010j",
    "smtp": "secret-of-the-mail-11k",
    "hook": "secret-of-a-hook-12l",
    "process": "secret-of-a-process-13m",
    "shell": "secret-of-the-shell-14n",
    "logged": "secret-in-the-log-15o",
    "comment": "secret-in-a-comment-16p",
}


def settings():
    return {
        "scrape": [
            {"job": "a", "targets": ["127.0.0.1:1"], "bearer_token": SECRETS["scrape"]},
            {
                "job": "b",
                "targets": ["127.0.0.1:2"],
                "basic_auth": {"username": "u", "password": SECRETS["basic"]},
            },
            {"job": "c", "targets": ["127.0.0.1:3"], "bearer_token_file": "token"},
            {"job": "d", "targets": ["127.0.0.1:4"], "bearer_token": "${PLANTED}"},
        ],
        "postgresql": [{"dsn": f"postgresql://ops:{SECRETS['dsn']}@127.0.0.1:1/x"}],
        "redis": [{"url": "redis://127.0.0.1:1", "password": SECRETS["redis"]}],
        "probes": [
            {
                "name": "p",
                "url": "http://127.0.0.1:1/health",
                "service": "p",
                "headers": {"Authorization": f"Bearer {SECRETS['header']}"},
            }
        ],
        "recovery": [
            {
                "service": "p",
                "probe": "p",
                "action": {"webhook": {"url": f"http://127.0.0.1:1/hook/{SECRETS['webhook']}"}},
                "failures": 1000,
            },
            {
                "service": "q",
                "probe": "p",
                "action": {"command": ["/bin/true"], "environment": {"DEPLOY_TOKEN": SECRETS["process"]}},
                "failures": 1000,
            },
        ],
        "alertmanager": {"file": "alertmanager.yml"},
    }


ROUTING = """
global:
  slack_api_url: https://hooks.slack.com/services/{slack}
  smtp_smarthost: 127.0.0.1:1
  smtp_from: ops@example.com
  smtp_auth_username: ops
  smtp_auth_password: {smtp}
route: {{receiver: all, group_wait: 1ms}}
receivers:
  - name: all
    slack_configs: [{{channel: '#a'}}]
    pagerduty_configs: [{{routing_key: {pagerduty}}}]
    email_configs: [{{to: a@example.com}}]
    webhook_configs: [{{url: 'http://127.0.0.1:1/{hook}?token={hook}'}}]
"""


def test_no_secret_is_in_it(tmp_path):
    (tmp_path / "token").write_text(SECRETS["file"])
    (tmp_path / "alertmanager.yml").write_text(ROUTING.format(**SECRETS))
    environment = {"PLANTED": SECRETS["environment"], "MY_API_TOKEN": SECRETS["shell"]}
    log = tmp_path / "own.log"
    with serving(tmp_path, settings(), environment=environment) as platform:
        with (tmp_path / "eldonia-ops.yml").open("a") as file:
            file.write(f"# password: {SECRETS['comment']}\n")
        with platform.client() as client:
            for name in ("A", "B"):
                client.post("/api/v2/alerts", json=[{"labels": {"alertname": name, "severity": "critical"}}])
        planted = [
            f"login with password={SECRETS['logged']} failed",
            f"Authorization: Bearer {SECRETS['logged']}",
            f'{{"api_key": "{SECRETS["logged"]}"}}',
            f"connect postgresql://u:{SECRETS['logged']}@h/d",
            f"GET https://h/x?token={SECRETS['logged']}",
            f"variable {SECRETS['environment']} shell {SECRETS['shell']} file {SECRETS['file']}",
            f"token {platform.token}",
        ]
        bare = [secret for name, secret in SECRETS.items() if name not in ("logged", "comment")]
        log.write_text("\n".join(["an ordinary line", *planted, *bare]))
        made = run_command(tmp_path, "support-bundle", "out.tar.gz", "--log", str(log), environment=environment)
        assert made.returncode == 0, made.stderr
        token = platform.token
    assert (tmp_path / "out.tar.gz").stat().st_mode & 0o077 == 0
    parts = {}
    with tarfile.open(tmp_path / "out.tar.gz") as tar:
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            parts[member.name.partition("/")[2]] = content.read().decode()
    # What is needed is there …
    assert "an ordinary line" in parts["log.txt"]
    assert "eldonia_ops_build_info" in parts["metrics.txt"]
    assert json.loads(parts["versions.json"])["Python"]
    assert json.loads(parts["doctor.json"])
    assert "b/127.0.0.1:2" in {one["name"] for one in json.loads(parts["targets.json"])}
    assert json.loads(parts["reload.json"])["successful"] is True
    assert "job: a" in parts["settings.yml"]
    assert "receiver: all" in parts["routing.yml"]
    # … and nothing that is not for others.
    everything = "\n".join(parts.values()) + made.stderr + made.stdout
    assert token not in everything
    assert [(name, where) for name, secret in SECRETS.items() for where, text in parts.items() if secret in text] == []
    assert [name for name, secret in SECRETS.items() if secret in everything] == []


def test_without_a_platform_the_rest_is_gathered(tmp_path):
    (tmp_path / "eldonia-ops.yml").write_text("listen: 127.0.0.1:1\ndata: data\n")
    made = run_command(tmp_path, "support-bundle", "out.tar.gz")
    assert made.returncode == 0, made.stderr
    with tarfile.open(tmp_path / "out.tar.gz") as tar:
        content = tar.extractfile("eldonia-ops-support/platform.json")
        assert content is not None
        assert b"nothing answers" in content.read()
    again = run_command(tmp_path, "support-bundle", "out.tar.gz")
    assert again.returncode == 2
