"""OpenAPI documents of the listeners' dialects: requests as their clients make them, and the shape of each answer.

The platform publishes such a document for its native API alone; those of the dialects are here for the fuzzer.
"""

from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_COUNT: Schema = {"type": "integer", "minimum": -1, "maximum": 100_000}
_LABELS: Schema = {"type": "object", "additionalProperties": _TEXT}
_INSTANT: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}, {"const": "now"}]}
_STEP: Schema = {"anyOf": [{"type": "number"}, {"enum": ["15s", "1m", "5m30s", "0", "1y"]}]}
_PROMQL: Schema = {
    "anyOf": [
        {"enum": ["up", "rate(up[5m])", "sum by (job) (up)", "1", '"text"', "vector(1) > bool 0", "absent(x{a!=''})"]},
        _TEXT,
    ]
}
_SELECTORS: Schema = {"type": "array", "items": {"anyOf": [{"enum": ["up", '{job=~".+"}']}, _TEXT]}}
_MATCHERS: Schema = {"type": "array", "items": {"anyOf": [{"enum": ["a=b", 'a=~"b.*"', "a!=", "{a=b}"]}, _TEXT]}}
_FLAG: Schema = {"enum": ["true", "false", "1", "yes"]}


def _object(required: str = "", /, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


def _query(required: str = "", /, **parameters: Schema) -> list[Schema]:
    return [
        {"name": name.replace("__", "[]"), "in": "query", "schema": schema, "required": name in required.split()}
        for name, schema in parameters.items()
    ]


def _path(name: str) -> list[Schema]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}]


def _answers(
    success: Schema | None, fault: Schema, *, media: str = "application/json", fault_media: str = "application/json"
) -> Schema:
    """``success`` None: an empty body."""
    done = {"description": "done"} | ({} if success is None else {"content": {media: {"schema": success}}})
    return {"200": done, "default": {"description": "a fault", "content": {fault_media: {"schema": fault}}}}


def _body(media: str, schema: Schema) -> Schema:
    return {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


def _plain(fault: Schema) -> dict[str, Schema]:
    """The addresses by which both programs are watched and reloaded; 503 and a failed reload are plain text too."""
    text = _answers(_TEXT, fault, media="text/plain")
    either = {"description": "plain text"}
    return {
        "/-/healthy": {"get": {"responses": text}},
        "/-/ready": {"get": {"responses": text | {"503": either}}},
        "/health": {"get": {"responses": text}},
        "/metrics": {"get": {"responses": text}},
        "/-/reload": {
            "post": {"responses": text | {"200": either, "500": either}},
            "put": {"responses": text | {"200": either, "500": either}},
        },
    }


def _prometheus() -> dict[str, Schema]:
    fault = _object("status errorType error", status={"const": "error"}, errorType=_TEXT, error=_TEXT)

    def success(data: Schema) -> Schema:
        answer = _object("status data", status={"const": "success"}, data=data, warnings=_TEXTS, infos=_TEXTS)
        return _answers(answer, fault)

    def both(parameters: list[Schema], data: Schema) -> Schema:
        form = {
            "type": "object",
            "properties": {one["name"]: one["schema"] for one in parameters},
            "required": [one["name"] for one in parameters if one["required"]],
        }
        return {
            "get": {"parameters": parameters, "responses": success(data)},
            "post": {**_body("application/x-www-form-urlencoded", form), "responses": success(data)},
        }

    bounds = {"timeout": _STEP, "limit": _COUNT, "lookback_delta": _STEP, "stats": _TEXT}
    result = _object(
        "resultType result",
        resultType={"enum": ["vector", "matrix", "scalar", "string"]},
        result={"type": "array"},
        stats={"type": "object"},
    )
    sets = {"match__": _SELECTORS, "start": _INSTANT, "end": _INSTANT, "limit": _COUNT}
    rules = {
        "type": {"enum": ["alert", "record", "other"]}, "rule_name__": _TEXTS, "rule_group__": _TEXTS,
        "file__": _TEXTS, "exclude_alerts": _FLAG, "match__": _SELECTORS, "group_limit": _COUNT,
        "group_next_token": _TEXT,
    }  # fmt: skip
    sample = _object("labels", labels=_LABELS)
    lists = {"type": "array"}

    def get(parameters: list[Schema], data: Schema) -> Schema:
        return {"get": {"parameters": parameters, "responses": success(data)}}

    return {
        "/api/v1/query": both(_query("query", query=_PROMQL, time=_INSTANT, **bounds), result),
        "/api/v1/query_range": both(
            _query("query start end step", query=_PROMQL, start=_INSTANT, end=_INSTANT, step=_STEP, **bounds), result
        ),
        "/api/v1/format_query": both(_query("query", query=_PROMQL), _TEXT),
        "/api/v1/series": both(_query("match__", **sets), {"type": "array", "items": _LABELS}),
        "/api/v1/labels": both(_query(**sets), _TEXTS),
        "/api/v1/label/{name}/values": get(_path("name") + _query(**sets), _TEXTS),
        "/api/v1/metadata": get(_query(metric=_TEXT, limit=_COUNT, limit_per_metric=_COUNT), {"type": "object"}),
        "/api/v1/targets": get(
            _query(state=_TEXT, scrapePool=_TEXT),
            _object("activeTargets droppedTargets", activeTargets={"type": "array", "items": sample}),
        ),
        "/api/v1/rules": get(_query(**rules), _object("groups", groups=lists, groupNextToken=_TEXT)),
        "/api/v1/alerts": get([], _object("alerts", alerts={"type": "array", "items": sample})),
        "/api/v1/status/buildinfo": get([], _object("version revision", version=_TEXT, revision=_TEXT)),
        **_plain(fault),
        # A body of any bytes, and an answer in plain text.
        "/api/v1/write": {
            "post": {
                **_body("application/x-protobuf", {"type": "string", "format": "binary"}),
                "responses": {"default": {"description": "plain text, or nothing"}},
            }
        },
    }


def _alertmanager() -> dict[str, Schema]:
    fault = _TEXT
    instant: Schema = {"type": "string", "format": "date-time"}
    posted = _object(
        "labels", labels=_LABELS, annotations=_LABELS, startsAt=instant, endsAt=instant, generatorURL=_TEXT
    )
    flags = {"filter": _MATCHERS, "active": _FLAG, "silenced": _FLAG, "inhibited": _FLAG, "muted": _FLAG}
    alert = _object(
        "labels annotations startsAt updatedAt endsAt fingerprint receivers status",
        labels=_LABELS, annotations=_LABELS, startsAt=instant, updatedAt=instant, endsAt=instant, fingerprint=_TEXT,
        receivers={"type": "array", "items": _object("name", name=_TEXT)},
        status=_object(
            "state silencedBy inhibitedBy",
            state={"enum": ["unprocessed", "active", "suppressed"]}, silencedBy=_TEXTS, inhibitedBy=_TEXTS,
        ),
    )  # fmt: skip
    matcher = _object("name value isRegex", name=_TEXT, value=_TEXT, isRegex={"type": "boolean"},
                      isEqual={"type": "boolean"})  # fmt: skip
    silence = {
        "matchers": {"type": "array", "items": matcher, "minItems": 1},
        "startsAt": instant, "endsAt": instant, "createdBy": _TEXT, "comment": _TEXT, "id": _TEXT,
    }  # fmt: skip
    known = _object(
        "id status updatedAt comment createdBy endsAt matchers startsAt",
        **silence, updatedAt=instant, status=_object("state", state={"enum": ["expired", "active", "pending"]}),
    )  # fmt: skip
    groups = _object(
        "labels receiver alerts",
        labels=_LABELS, receiver=_object("name", name=_TEXT), alerts={"type": "array", "items": alert},
    )  # fmt: skip

    def get(parameters: list[Schema], schema: Schema) -> Schema:
        return {"get": {"parameters": parameters, "responses": _answers(schema, fault)}}

    def several(items: Schema) -> Schema:
        return {"type": "array", "items": items}

    return {
        "/api/v2/alerts": get(_query(**flags, receiver=_TEXT), several(alert))
        | {"post": {**_body("application/json", several(posted)), "responses": _answers(None, fault)}},
        "/api/v2/alerts/groups": get(_query(**flags, receiver=_TEXT), several(groups)),
        "/api/v2/silences": get(_query(filter=_MATCHERS), several(known))
        | {
            "post": {
                **_body("application/json", _object("matchers startsAt endsAt createdBy comment", **silence)),
                "responses": _answers(_object("silenceID", silenceID=_TEXT), fault),
            }
        },
        "/api/v2/silence/{id}": {
            "get": {"parameters": _path("id"), "responses": _answers(known, fault)},
            "delete": {"parameters": _path("id"), "responses": _answers(None, fault)},
        },
        "/api/v2/receivers": get([], several(_object("name", name=_TEXT))),
        "/api/v2/status": get([], _object("cluster config uptime versionInfo", uptime=instant)),
        **_plain(fault),
    }


def _jaeger() -> dict[str, Schema]:
    error = _object("code msg", code={"type": "integer"}, msg=_TEXT)
    fault = _object("data errors", data={"type": "null"}, errors={"type": "array", "items": error, "minItems": 1})

    def get(parameters: list[Schema], items: Schema) -> Schema:
        answer = _object("data", data={"type": "array", "items": items}, errors={"type": ["array", "null"]})
        return {"get": {"parameters": parameters, "responses": _answers(answer, fault)}}

    trace = _object("traceID spans processes", traceID=_TEXT, spans={"type": "array"}, processes={"type": "object"})
    duration: Schema = {"anyOf": [{"enum": ["1ms", "1.5s", "1h"]}, _TEXT]}
    search = {
        "service": _TEXT, "operation": _TEXT, "lookback": {"anyOf": [{"enum": ["1h", "2d", "custom"]}, _TEXT]},
        "start": {"type": "integer"}, "end": {"type": "integer"}, "minDuration": duration, "maxDuration": duration,
        "limit": _COUNT, "tag": {"type": "array", "items": {"anyOf": [{"const": "error:true"}, _TEXT]}},
        "tags": {"anyOf": [{"const": '{"http.status_code":"500"}'}, _TEXT]}, "traceID": _TEXTS,
    }  # fmt: skip
    return {
        "/api/services": get([], _TEXT),
        "/api/services/{service}/operations": get(_path("service"), _TEXT),
        "/api/traces": get(_query(**search), trace),
        "/api/traces/{trace_id}": get(_path("trace_id"), trace),
    }


def _otlp() -> dict[str, Schema]:
    """``google.rpc.Status`` for a fault; what is answered to protobuf is protobuf."""
    fault = _object(message=_TEXT, code={"type": "integer"})

    def export(resources: str, scopes: str, items: str, item: Schema) -> Schema:
        scope = _object(**{items: {"type": "array", "items": item}, "scope": _object(name=_TEXT)})
        attributes = {"type": "array", "items": _object(key=_TEXT, value=_object(stringValue=_TEXT))}
        resource = _object(**{scopes: {"type": "array", "items": scope}, "resource": _object(attributes=attributes)})
        body = _object(resources, **{resources: {"type": "array", "items": resource}})
        return {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": body},
                        "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
                    },
                },
                "responses": {
                    code: {
                        "description": "an export response, or a status",
                        "content": {
                            "application/json": {"schema": schema},
                            "application/x-protobuf": {"schema": {}},
                        },
                    }
                    for code, schema in (("200", {"type": "object"}), ("default", fault))
                },
            }
        }

    nano = _TEXT
    span = _object(traceId=_TEXT, spanId=_TEXT, name=_TEXT, startTimeUnixNano=nano, endTimeUnixNano=nano)
    record = _object(timeUnixNano=nano, severityText=_TEXT, body=_object(stringValue=_TEXT))
    point = _object(timeUnixNano=nano, asDouble={"type": "number"}, asInt=_TEXT)
    metric = _object(name=_TEXT, gauge=_object(dataPoints={"type": "array", "items": point}))
    return {
        "/v1/traces": export("resourceSpans", "scopeSpans", "spans", span),
        "/v1/logs": export("resourceLogs", "scopeLogs", "logRecords", record),
        "/v1/metrics": export("resourceMetrics", "scopeMetrics", "metrics", metric),
    }


PATHS = {
    "prometheus": _prometheus(),
    "alertmanager": _alertmanager(),
    "jaeger": _jaeger(),
    "otlp_http": _otlp(),
}
"""The paths of each listener's document, by the listener's name."""


def document(name: str) -> Schema:
    """The whole document of a listener. Every operation asks for a token, but those of health."""
    paths: Schema = {}
    for path, operations in PATHS[name].items():
        public = path in ("/-/healthy", "/-/ready", "/health")
        paths[path] = {
            method: {**operation, "security": [] if public else [{"token": []}]}
            for method, operation in operations.items()
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
