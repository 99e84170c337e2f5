"""The demonstration, as a visitor runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import free_port


@pytest.mark.parametrize("options", [(), ("--kill",)], ids=["undisturbed", "killed between detection and page"])
def test_every_stage_of_the_demonstration_is_observed(
    options: tuple[str, ...], program: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    arguments = ("demo", "--once", *options, "--dir", str(folder), "--port", str(free_port()))
    demo = program("demo", "-m", "eldonia_ops", *arguments)
    demo.start()
    code = demo.wait(180)
    said = demo.said()
    if code:
        outputs = sorted((folder / "output").glob("*.log"))
        ends = "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')[-3000:]}" for file in outputs)
        pytest.fail(f"the demonstration ended with {code}:\n{said}\n{ends}")
    assert "Every stage was observed." in said
    assert ("the platform is back" in said) == ("--kill" in options)
