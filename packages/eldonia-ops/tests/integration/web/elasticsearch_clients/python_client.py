"""What a program does with the Python client of Elasticsearch (8 or 9), or of OpenSearch: arguments URL, TOKEN, CLIENT.

Prints the findings as one JSON object; the test looks at them.
"""

import json
import sys
from datetime import UTC, datetime

URL, TOKEN, CLIENT = sys.argv[1:]
NOW = datetime.now(UTC).isoformat()
FOUND = {}

if CLIENT == "opensearch":
    from opensearchpy import NotFoundError, OpenSearch, helpers
    from opensearchpy.exceptions import ConflictError, RequestError

    es = OpenSearch(URL, http_auth=("any", TOKEN))
    body = lambda **fields: {"body": fields}  # noqa: E731
else:
    from elasticsearch import BadRequestError as RequestError
    from elasticsearch import ConflictError, Elasticsearch, NotFoundError, helpers

    es = Elasticsearch(URL, api_key=TOKEN)
    body = lambda **fields: fields  # noqa: E731


def error(call, *kinds):
    try:
        call()
    except kinds as failure:
        if CLIENT == "opensearch":
            return failure.error
        return failure.body["error"]["type"] if "error" in failure.body else "without an error"
    return "no error"


FOUND["version"] = es.info()["version"]["number"]
FOUND["ping"] = es.ping()
index = f"{CLIENT}-app"
document = {"@timestamp": NOW, "message": "payment failed", "level": "error", "service": "shop", "took": 5, "ok": None}

# one at a time
made = es.index(index=index, **(body(**document) if CLIENT == "opensearch" else {"document": document}))
FOUND["made"] = made["result"]
FOUND["read_back"] = es.get(index=index, id=made["_id"])["_source"] == document
named = {"id": "a/b ü", "index": index}
FOUND["named"] = [
    es.index(**named, **(body(n=1) if CLIENT == "opensearch" else {"document": {"n": 1}}))["result"],
    es.index(**named, **(body(n=2) if CLIENT == "opensearch" else {"document": {"n": 2}}))["result"],
]
FOUND["updated"] = es.update(
    **named, **(body(doc={"m": [1, {"x": "y"}]}) if CLIENT == "opensearch" else {"doc": {"m": [1, {"x": "y"}]}})
)["result"]
FOUND["named_source"] = es.get(**named)["_source"]
FOUND["version_of"] = es.get(**named)["_version"]
FOUND["conflict"] = error(
    lambda: es.create(**named, **(body(n=3) if CLIENT == "opensearch" else {"document": {"n": 3}})), ConflictError
)
FOUND["exists"] = [bool(es.exists(**named)), bool(es.exists(index=index, id="none"))]
FOUND["mget"] = [one["found"] for one in es.mget(index=index, **body(ids=["a/b ü", "none"]))["docs"]]
FOUND["deleted"] = es.delete(**named)["result"]
FOUND["gone"] = error(lambda: es.get(**named), NotFoundError)
FOUND["no_index"] = error(lambda: es.get(index="nothing-here", id="1"), NotFoundError)
FOUND["bad_time"] = error(
    lambda: es.index(
        index=index, **(body(**{"@timestamp": "no"}) if CLIENT == "opensearch" else {"document": {"@timestamp": "no"}})
    ),
    RequestError,
)

# the helpers
actions = [{"_index": index, "_id": str(n), "_source": {"n": n, "@timestamp": NOW}} for n in range(300)]
FOUND["bulk"] = helpers.bulk(es, actions, chunk_size=100, refresh="wait_for")
streamed = ({"_op_type": "create", "_index": index, "message": f"m{n}", "@timestamp": NOW} for n in range(250))
FOUND["streaming"] = sum(ok for ok, _ in helpers.streaming_bulk(es, streamed, chunk_size=60))
FOUND["parallel"] = sum(
    ok for ok, _ in helpers.parallel_bulk(es, [{"_index": index, "p": n} for n in range(200)], chunk_size=50)
)
done, failed = helpers.bulk(
    es,
    [
        {"_index": index, "good": 1},
        {"_index": index, "@timestamp": "bad"},
        {"_op_type": "delete", "_index": index, "_id": "1"},
    ],
    raise_on_error=False,
)
FOUND["partly"] = [done, [one["index"]["error"]["type"] for one in failed]]

# templates and data streams
template = {
    "index_patterns": [f"{CLIENT}-metrics-*"],
    "data_stream": {},
    "priority": 200,
    "template": {"settings": {"number_of_shards": 1}, "mappings": {"properties": {"host": {"type": "keyword"}}}},
}
es.indices.put_index_template(name=f"{CLIENT}-t", **(body(**template)))
FOUND["template"] = es.indices.get_index_template(name=f"{CLIENT}-t")["index_templates"][0]["index_template"][
    "priority"
]
FOUND["template_exists"] = bool(es.indices.exists_index_template(name=f"{CLIENT}-t"))
stream = f"{CLIENT}-metrics-a"
helpers.bulk(es, [{"_op_type": "create", "_index": stream, "@timestamp": NOW, "message": "m"}])
FOUND["not_created"] = error(
    lambda: es.index(index=stream, **(body(a=1) if CLIENT == "opensearch" else {"document": {"a": 1}})), RequestError
)
shown = es.indices.get_data_stream(name=stream)["data_streams"][0]
FOUND["stream"] = [
    shown["template"],
    shown["generation"],
    shown["indices"][0]["index_name"].startswith(f".ds-{stream}-"),
]
FOUND["rolled"] = es.indices.rollover(**({"alias": stream}))["rolled_over"]
FOUND["generation"] = es.indices.get_data_stream(name=stream)["data_streams"][0]["generation"]

# indices
FOUND["created"] = es.indices.create(index=f"{CLIENT}-own", **body(mappings={"properties": {"n": {"type": "long"}}}))[
    "index"
]
FOUND["twice"] = error(lambda: es.indices.create(index=f"{CLIENT}-own"), RequestError)
es.indices.put_alias(index=f"{CLIENT}-own", name=f"{CLIENT}-alias")
FOUND["alias"] = list(es.indices.get_alias(name=f"{CLIENT}-alias"))
FOUND["mapping"] = es.indices.get_mapping(index=index)[index]["mappings"]["properties"]["n"]["type"]
FOUND["caps"] = sorted(es.field_caps(index=index, fields="message*")["fields"])
FOUND["refresh"] = es.indices.refresh(index=index)["_shards"]["failed"]
FOUND["health"] = es.cluster.health()["status"]
FOUND["count"] = [row["docs.count"] for row in es.cat.indices(index=index, format="json")]
FOUND["by_query"] = es.delete_by_query(index=index, **body(query={"ids": {"values": ["2", "3"]}}))["deleted"]
es.indices.delete(index=f"{CLIENT}-own")
FOUND["index_gone"] = bool(es.indices.exists(index=f"{CLIENT}-own"))
print(json.dumps(FOUND))
