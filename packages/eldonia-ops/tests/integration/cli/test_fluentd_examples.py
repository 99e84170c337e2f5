"""The examples of Fluentd's own repository load, or it is said precisely what they lack.

``ELDONIA_FLUENTD_EXAMPLES`` names a folder with them: ``example/`` of https://github.com/fluent/fluentd.
"""

from pathlib import Path

import pytest
from required_tools import folder_named_by, requires_folder_named_by

from eldonia_ops.lint.pipeline import load_pipeline
from eldonia_ops.model.errors import Level

FOLDER = folder_named_by("ELDONIA_FLUENTD_EXAMPLES")
EXAMPLES = [] if FOLDER is None else sorted(FOLDER.glob("*.conf"))
pytestmark = requires_folder_named_by("ELDONIA_FLUENTD_EXAMPLES")

LACKING = {
    "copy_roundrobin.conf": "roundrobin",
    "in_forward_tls.conf": "certificates are not made up here",
    "in_forward_workers.conf": "Ruby is not run here",
    "in_sample_with_compression.conf": "Ruby is not run here",
    "multi_filters.conf": "buffered_null",
    "out_exec_filter.conf": "exec_filter",
    "out_forward_client.conf": "Ruby is not run here",
    "out_forward_sd.conf": "Ruby is not run here",
    "secondary_file.conf": "path has only a part of the time",
    "v0_12_filter.conf": "Ruby is not run here",
    "v1_literal_example.conf": "Ruby is not run here",
}
"""What is said of those that do not load. All others do."""


def test_they_are_all_there():
    assert len(EXAMPLES) >= 36


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_it_loads_or_says_what_it_lacks(path: Path):
    errors = [one for one in load_pipeline(path, {}).problems if one.level is Level.ERROR]
    assert all(one.line > 0 and one.file == str(path) for one in errors)
    lacking = LACKING.get(path.name)
    assert bool(errors) == (lacking is not None), errors
    if lacking is not None:
        assert any(lacking in one.message for one in errors), errors
