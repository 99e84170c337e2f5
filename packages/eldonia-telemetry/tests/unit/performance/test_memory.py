from pathlib import Path

import pytest

from eldonia_telemetry.performance import memory
from eldonia_telemetry.performance.memory import find_limit, measure

GIB = 1 << 30


def tree(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


def test_version_2_the_smallest_limit_on_the_way_up_counts(tmp_path):
    root = tree(
        tmp_path / "fs",
        {
            "a/memory.max": f"{GIB}\n",
            "a/memory.current": "900000000\n",
            "a/memory.stat": "anon 5\ninactive_file 100000000\n",
            "a/b/memory.max": "max\n",
        },
    )
    groups = tree(tmp_path, {"cgroup": "0::/a/b\n"}) + "/cgroup"
    limit = find_limit(groups, root, physical=64 * GIB)
    assert (limit.limit_bytes, limit.source) == (GIB, "cgroup v2")
    use = measure(limit)
    assert use.used_bytes == 800_000_000
    assert use.share == pytest.approx(0.745, abs=0.001)


def test_version_1_inside_a_container(tmp_path):
    root = tree(
        tmp_path / "fs",
        {
            "memory/memory.limit_in_bytes": f"{2 * GIB}",
            "memory/memory.usage_in_bytes": f"{GIB + 5}",
            "memory/memory.stat": "total_inactive_file 5",
        },
    )
    groups = tree(tmp_path, {"cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/0123\n"}) + "/cgroup"
    limit = find_limit(groups, root, physical=64 * GIB)
    assert (limit.limit_bytes, limit.source) == (2 * GIB, "cgroup v1")
    assert measure(limit).used_bytes == GIB


@pytest.mark.parametrize("text", ["", "max", "9223372036854771712", "nonsense", str(100 * GIB)])
def test_without_a_smaller_limit_the_machine_is_the_limit(tmp_path, text):
    root = tree(tmp_path / "fs", {"a/memory.max": text})
    groups = tree(tmp_path, {"cgroup": "0::/a\n"}) + "/cgroup"
    limit = find_limit(groups, root, physical=64 * GIB)
    assert (limit.limit_bytes, limit.source) == (64 * GIB, "physical")


def test_nothing_to_read_means_nothing_to_say(tmp_path):
    use = measure(find_limit(str(tmp_path / "none"), str(tmp_path), physical=0))
    assert (use.limit_bytes, use.share, use.source) == (0, 0.0, "none")


def test_here():
    use = memory.current()
    assert 0 < use.share < 1
    assert use.used_bytes > 5_000_000
