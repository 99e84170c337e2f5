"""A package of somebody else, installed beside the platform: what it adds works, and a broken one harms nothing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from programs import eventually, free_port
from required_tools import requires_module

ROOT = Path(__file__).parents[2]

requires_module("hatchling")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the example, and with one whose code is missing."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"),
            *("--disable-pip-version-check", "--target", folder, ROOT / "examples/plugin"),
        ],
        check=True,
    )
    broken = folder / "broken_plugin-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[eldonia_ops.collectors]\nbroken = no_such_module:COLLECTOR\n")
    return folder


def test_an_example_plug_in_collects_beside_a_broken_one(
    program: Callable[..., Any], site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(site))
    queue, port = tmp_path / "queue", free_port()
    queue.mkdir()
    for name in ("a", "b"):
        (queue / name).touch()
    settings = tmp_path / "eldonia-ops.yml"
    settings.write_text(f"host: {{enabled: false}}\nqueue_folders: [{{path: {queue}, interval: 1s}}]\n")

    # The linter reads the section with the package's own reader.
    check = program("check", "-m", "eldonia_ops", "check", str(settings))
    check.start()
    assert check.wait(30) == 0, check.said()
    wrong = tmp_path / "eldonia-ops-wrong.yml"
    wrong.write_text("queue_folders:\n  - path: /tmp\n    intervall: 1s\n")
    check = program("check-wrong", "-m", "eldonia_ops", "check", str(wrong))
    check.start()
    assert check.wait(30) == 1
    assert "intervall" in check.said()

    data = tmp_path / "data"
    platform = program(
        *("platform", "-m", "eldonia_ops", "serve", "--config", str(settings), "--data", str(data)),
        *("--listen", f"127.0.0.1:{port}"),
    )
    platform.start()
    url = f"http://127.0.0.1:{port}"
    eventually(
        lambda: httpx.get(f"{url}/-/ready", timeout=2, trust_env=False, verify=False).is_success, "ready", 60, platform
    )
    headers = {"Authorization": f"Bearer {(data / 'admin.token').read_text().strip()}"}
    with httpx.Client(base_url=url, headers=headers, timeout=10, trust_env=False) as client:

        def waiting() -> list[str]:
            found = client.get("/api/v1/query", params={"query": "queue_folder_files"}).json()["data"]["result"]
            return [one["value"][1] for one in found]

        eventually(lambda: waiting() == ["2"], "two files", 30, platform)
        (queue / "c").touch()
        eventually(lambda: waiting() == ["3"], "three files", 30, platform)
        found = client.get("/api/ops/v1/targets").json()
        targets = {one["kind"]: one for one in found}
        assert (targets["queue_folder"]["health"], targets["queue_folder"]["name"]) == ("up", str(queue))
        assert targets["broken"]["health"] == "down"
        assert "ModuleNotFoundError" in targets["broken"]["error"]
    assert platform.stop() == 0
