"""The same questions to a real OpenSearch and to ours, on the same documents: not a part of CI.

    benchmarks/opensearch/peer.sh /tmp/peer 19200 &          # needs Maven and a JDK
    python -m benchmarks.opensearch --peer http://127.0.0.1:19200 --lines FILE.jsonl --questions 300

The lines are JSON objects with ``ts``, ``service``, ``level``, ``host``, ``message``, ``status``, ``latency_ms``, …
"""
