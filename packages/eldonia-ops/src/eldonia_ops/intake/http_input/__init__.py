"""HTTP input as Fluentd's ``in_http`` has it: the path is the tag, the body one event or many.

``POST /app.log`` at a listener of its own, with JSON, NDJSON, MessagePack, or a form with ``json=``. 200 and an empty
body mean that the events are stored.

Source: https://docs.fluentd.org/input/http
"""

from eldonia_ops.intake.http_input.routes import INTAKE

__all__ = ["INTAKE"]
