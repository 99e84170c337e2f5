"""The image and its compose file, as far as they can be judged without an engine."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml
from required_tools import requires_host

ROOT = Path(__file__).parents[1]


def instructions() -> list[list[tuple[str, str]]]:
    """(word, rest) of every instruction, stage by stage."""
    text = "\n".join(line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    lines = text.replace("\\\n", " ").splitlines()
    stages: list[list[tuple[str, str]]] = []
    for line in filter(str.strip, lines):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, " ".join(rest.split())))
    return stages


def test_the_image_runs_without_root_and_says_how_it_is():
    build, final = instructions()
    words = dict(final)
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", words["USER"])
    assert "/-/healthy" in words["HEALTHCHECK"]
    assert json.loads(words["ENTRYPOINT"]) == ["eldonia-ops"]
    # Nothing of what builds the packages goes along, and every file of the index is checked.
    assert [rest for word, rest in final if word == "COPY"] == ["--from=build /opt/eldonia-ops /opt/eldonia-ops"]
    [fetched] = [rest for word, rest in build if word == "RUN" and "-r requirements.lock" in rest]
    assert "--require-hashes" in fetched
    health = json.loads(words["HEALTHCHECK"].partition("CMD ")[2])
    compile(health[2], "HEALTHCHECK", "exec")


def test_what_is_copied_is_there_and_passes_the_ignore_file():
    for word, rest in instructions()[0]:
        if word == "COPY":
            for source in shlex.split(rest)[:-1]:
                assert (ROOT / source).exists()
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*"
    kept = {rule[1:] for rule in rules if rule.startswith("!")}
    assert kept == {"requirements.lock", "requirements-node.lock", "packages"}


def test_commands_of_the_image_are_commands_of_ours():
    commands = [json.loads(dict(instructions()[-1])["CMD"])]
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    commands += [one["command"] for one in compose["services"].values() if "command" in one]
    for words in commands:
        shown = subprocess.run(
            [sys.executable, "-m", "eldonia_ops", *words, "--help"], capture_output=True, text=True, check=False
        )
        assert shown.returncode == 0, shown.stderr
        assert all(word in shown.stdout for word in words if word.startswith("--"))


def test_compose_names_what_there_is():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services = compose["services"]
    for one in services.values():
        assert set(one.get("depends_on", {})) <= set(services)
        named = {volume.split(":")[0] for volume in one["volumes"] if not volume.startswith((".", "/"))}
        assert named <= set(compose["volumes"])
        assert one["cap_drop"] == ["ALL"]
        assert one["read_only"] is True
    assert all(port.startswith("127.0.0.1:") for port in services["ops"]["ports"])


def has_compose() -> bool:
    try:
        return not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    except OSError:
        return False


@requires_host(has_compose, "the plug-in docker compose is not installed")
def test_docker_compose_takes_the_file():
    answer = subprocess.run(
        ["docker", "compose", "--project-directory", str(ROOT), "-f", str(ROOT / "compose.yaml"), "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert yaml.safe_load(answer.stdout)["services"]["ops"]["depends_on"]
