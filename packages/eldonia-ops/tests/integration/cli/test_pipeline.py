"""`eldonia-ops pipeline`: what is printed, and exit codes."""

import json
from pathlib import Path

import pytest
from required_tools import requires_shared, shared_folder
from serving import run_command

CONF = """
<source>
  @type tail
  path /var/log/shop/*.log
  tag shop.*
  <parse>
    @type json
    time_key at
  </parse>
</source>
<filter shop.**>
  @type record_transformer
  remove_keys secret
  <record>
    part ${tag_parts[-2]}
  </record>
</filter>
<match shop.**>
  @type eldonia
</match>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fluent.conf").write_text(CONF)
    return tmp_path


def test_check_of_a_good_one(folder: Path):
    found = run_command(folder, "pipeline", "check")
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("nothing wrong\n\n   2  tail: shop.var.log.shop.*.log\n")
    assert "the log store of this platform" in found.stdout
    assert max(len(line) for line in found.stdout.splitlines()) <= 60


def test_check_of_faults_and_of_no_file(folder: Path):
    (folder / "bad.conf").write_text(
        '<match **>\n  @type roundrobin\n</match>\n<source>\n  @type tail\n  path "#{`x`}"\n</source>'
    )
    found = run_command(folder, "pipeline", "check", "bad.conf")
    assert found.returncode == 1
    assert "   2  error: there is no output of type 'roundrobin'" in found.stdout
    assert "Ruby is not run here" in found.stdout
    body = json.loads(run_command(folder, "pipeline", "check", "bad.conf", "--json").stdout)
    assert [one["line"] for one in body["problems"]] == [2, 4, 4, 6]
    assert run_command(folder, "pipeline", "check", "gone.conf").returncode == 2
    (folder / "fluent.conf").unlink()
    found = run_command(folder, "pipeline", "check")
    assert found.returncode == 2
    assert "there is neither eldonia-ops.yml nor fluent.conf" in found.stderr


def test_strict_takes_warnings_for_errors(folder: Path):
    (folder / "fluent.conf").write_text(f"{CONF}<match shop.x>\n@type null\n</match>\n")
    assert run_command(folder, "pipeline", "check").returncode == 0
    assert run_command(folder, "pipeline", "check", "--strict").returncode == 1


def test_check_reads_the_files_of_templates(folder: Path):
    template = folder / "app.json"
    output = f"@type elasticsearch\ntemplate_name app\ntemplate_file {template}\n"
    source = "<source>\n@type sample\ntag a\n</source>\n"
    (folder / "fluent.conf").write_text(f"{source}<match **>\n{output}</match>\n")

    def checked() -> tuple[int, list[str]]:
        found = run_command(folder, "pipeline", "check", "--json")
        return found.returncode, [one["message"] for one in json.loads(found.stdout)["problems"]]

    gone = f"the index template {template} cannot be read: No such file or directory"
    assert checked() == (0, [gone])  # it may be where the pipeline runs
    template.write_text("[]")
    assert checked() == (1, [f"the index template {template} must hold a JSON object"])
    template.write_text("{}")
    assert checked() == (0, [])


def test_explain(folder: Path):
    found = run_command(folder, "pipeline", "explain", "shop.var.log.shop.web.log")
    assert found.returncode == 0
    assert found.stdout.endswith("a match takes it\n")
    assert "<filter shop.**> record_transformer: applies" in found.stdout
    found = run_command(folder, "pipeline", "explain", "other", "--json")
    body = json.loads(found.stdout)
    assert (found.returncode, body["taken"]) == (1, False)
    assert [one["verdict"] for one in body["steps"]] == ["passes", "passes", "passes", "passes"]


def test_run(folder: Path):
    good = '{"at": 1500000000, "secret": 1, "message": "hi"}\n'
    (folder / "web.log").write_text(good)
    found = run_command(folder, "pipeline", "run", "web.log")
    assert found.returncode == 0, found.stderr
    lines = [line.strip() for line in found.stdout.splitlines()]
    assert "tag shop.var.log.shop.web.log" in lines
    assert "- secret: 1" in lines
    assert "+ part: web" in lines
    assert "→ the log store of this platform" in lines
    found = run_command(folder, "pipeline", "run", "-", "--lines", "0", given=f"{good}no\n")
    assert found.returncode == 1
    assert "the parser did not match line 2: it is no JSON" in found.stdout
    body = json.loads(run_command(folder, "pipeline", "run", "-", "--json", given=good).stdout)
    assert body["delivered"][0]["events"] == 1
    assert body["lines"][0]["steps"][0]["events"][0]["record"] == {"message": "hi", "part": "sample"}
    assert run_command(folder, "pipeline", "run", "gone.log").returncode == 2
    assert run_command(folder, "pipeline", "run", "web.log", "--source", "nope").returncode == 2


def test_the_pipeline_of_the_settings_comes_first(folder: Path):
    (folder / "eldonia-ops.yml").write_text("pipeline: {file: fluent.conf, outputs: [{match: '**', type: 'null'}]}\n")
    found = run_command(folder, "pipeline", "check")
    assert found.returncode == 0
    assert "<match **>: null" in found.stdout
    found = run_command(folder, "check")
    assert found.returncode == 0, found.stdout
    (folder / "fluent.conf").write_text("<match **>\n@type nothing\n</match>\n")
    found = run_command(folder, "check")
    assert found.returncode == 1
    assert "fluent.conf:2: error: there is no output of type 'nothing'" in found.stdout


@requires_shared("seed")
def test_the_seed(tmp_path: Path):
    seed = shared_folder("seed")
    assert seed is not None
    found = run_command(tmp_path, "pipeline", "check", str(seed / "fluent.conf"))
    assert found.returncode == 0
    words = " ".join(found.stdout.split())
    assert (
        "23 warning: <match eldonia.error> can never get an event: the tags are eldonia.var.log.eldonia.*.log" in words
    )
    assert (
        "54 warning: <match eldonia.**> can never get an event: <match eldonia.**> in line 38 takes all its tags"
        in words
    )
