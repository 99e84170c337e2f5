import threading

import pytest

from eldonia_telemetry.traces.export import SpanExporter

PIECES = (b'{"name":"a"', b"", b"}")


@pytest.mark.parametrize("moment", ["start", "set"])
def test_a_handler_that_interrupts_the_first_span_may_export_too(monkeypatch, moment):
    """A signal handler that logs gets requests that ended just now recorded, and their spans exported."""
    exporter = SpanExporter("http://127.0.0.1:9", "", {})
    interrupted = []

    def interrupt(*given):
        if not interrupted:
            interrupted.append(moment)
            exporter._rung = False  # the exporting thread has taken what there was
            exporter.put(PIECES)

    if moment == "start":
        monkeypatch.setattr(threading.Thread, "start", interrupt)
    else:
        monkeypatch.setattr(threading.Condition, "notify_all", interrupt)
        monkeypatch.setattr(exporter, "_start", interrupt)
    done = []
    # A thread of its own, so that a deadlock fails the test instead of ending it.
    thread = threading._start_new_thread
    finished = threading.Lock()
    finished.acquire()

    def put():
        exporter.put(PIECES)
        done.append(True)
        finished.release()

    thread(put, ())
    assert finished.acquire(timeout=20)
    assert (done, interrupted) == ([True], [moment])
    assert len(exporter._queue) == 2
