from pathlib import Path
from typing import Any

import pytest
from plugin_distribution import installer

from eldonia_ops.plugins import PluginError, load_plugins

GROUP = "eldonia_ops.tests"


def accept(name: str, origin: str, loaded: Any) -> tuple[str, str, Any]:
    if loaded == "bad":
        raise PluginError("it is bad")
    return name, origin, loaded


def test_what_cannot_be_used_is_named_and_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install = installer(tmp_path, monkeypatch, GROUP)
    install("plug_good", "THING = 'good'\n", {"b": "plug_good:THING", "a": "plug_good"})
    install("plug_bad", "THING = 'bad'\n", {"c": "plug_bad:THING", "d": "plug_bad:GONE"})
    install("plug_broken", "import a_module_that_is_not_there\n", {"e": "plug_broken:THING"})
    install("plug_exit", "raise SystemExit(3)\n", {"f": "plug_exit:THING"})
    found = load_plugins(GROUP, accept)
    assert [(name, origin) for name, origin, _ in found.loaded] == [("a", "plug-good 1.2"), ("b", "plug-good 1.2")]
    assert found.loaded[1][2] == "good"
    assert found.absent == {
        "c": "the plug-in plug-bad 1.2 cannot be used: it is bad",
        "d": "the plug-in plug-bad 1.2 cannot be used: AttributeError: module 'plug_bad' has no attribute 'GONE'",
        "e": "the plug-in plug-broken 1.2 cannot be used: ModuleNotFoundError: "
        "No module named 'a_module_that_is_not_there'",
        "f": "the plug-in plug-exit 1.2 cannot be used: SystemExit: 3",
    }
    assert [str(fault) for fault in found.faults][:1] == [
        "plug_bad:THING: warning: the plug-in plug-bad 1.2 cannot be used: it is bad "
        "(its entry point 'c' of eldonia_ops.tests is left out)"
    ]
    assert len(found.faults) == 4


def test_without_plug_ins_nothing_is_found() -> None:
    found = load_plugins("eldonia_ops.absent", accept)
    assert (found.loaded, found.absent, found.faults) == ((), {}, ())
