"""A real worker of Celery on the brokers that need no server: what it logs and what its pool's processes leave."""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from required_tools import requires_module

requires_module("celery")

PROGRAM = """
    import logging, os
    from celery import Celery
    from celery.utils.log import get_task_logger
    import eldonia_telemetry as telemetry

    telemetry.init(service="tasks", log_dir="log", console=False)
    app = Celery("program", broker="filesystem://")
    app.conf.broker_transport_options = {"data_folder_in": "queue", "data_folder_out": "queue",
                                         "control_folder": "control"}

    @app.task
    def bad():
        logging.getLogger("mine").warning("from the root")
        get_task_logger("mine").warning("from a task's logger")
        telemetry.get_logger(component="own").info("from ours")
        raise ValueError("the task failed")
"""


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_a_worker_keeps_the_handler(tmp_path: Path, pool):
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    for folder in ("queue", "control"):
        (tmp_path / folder).mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith("ELDONIA_")}
    run = {"cwd": tmp_path, "env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([sys.executable, "-c", "from program import bad; bad.delay()"], check=True, timeout=60, **run)
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "program", "worker", "-P", pool, "-c", "1", "--without-mingle"], **run
    )
    path = tmp_path / "log" / "combined.log"
    try:
        records: list[dict] = []
        end = time.monotonic() + 60
        while time.monotonic() < end and not any(record.get("error") for record in records):
            assert worker.poll() is None
            time.sleep(0.1)
            records = [json.loads(row) for row in path.read_bytes().splitlines()] if path.exists() else []
        worker.terminate()
        worker.wait(30)
    finally:
        worker.kill()
    by_message = [record["message"] for record in records]
    assert by_message.count("from the root") == 1
    assert by_message.count("from a task's logger") == 1
    assert by_message.count("from ours") == 1
    failed = [record for record in records if record.get("error")]
    assert [(record["error"]["name"], record["error"]["message"]) for record in failed] == [
        ("ValueError", "the task failed")
    ]
    assert "in bad" in failed[0]["error"]["stack"]
