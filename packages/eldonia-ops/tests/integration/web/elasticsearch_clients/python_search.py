"""How a program searches with the Python client of Elasticsearch (8 or 9), or of OpenSearch: URL, TOKEN, CLIENT.

Prints the findings as one JSON object; the test looks at them.
"""

import json
import sys
from datetime import UTC, datetime, timedelta

URL, TOKEN, CLIENT = sys.argv[1:]
START = datetime(2026, 11, 30, 12, tzinfo=UTC)
FOUND = {}

if CLIENT == "opensearch":
    from opensearchpy import OpenSearch, helpers
    from opensearchpy.exceptions import RequestError

    es = OpenSearch(URL, http_auth=("any", TOKEN))
    body = lambda **fields: {"body": fields}  # noqa: E731
else:
    from elasticsearch import BadRequestError as RequestError
    from elasticsearch import Elasticsearch, helpers

    es = Elasticsearch(URL, api_key=TOKEN)
    body = lambda **fields: fields  # noqa: E731

index = f"{CLIENT}-searched"
documents = [
    {
        "_index": index,
        "_id": str(number),
        "@timestamp": (START - timedelta(seconds=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "message": f"request {number} {'failed: connection reset by peer' if number % 5 == 0 else 'ok'}",
        "level": "ERROR" if number % 5 == 0 else "info",
        "service": f"s{number % 4}",
        "took": number * 1.5,
        "user": {"id": f"u{number % 10}"},
    }
    for number in range(250)
]
helpers.bulk(es, documents, refresh=True)

answer = es.search(
    index=index,
    **body(
        query={"match_phrase": {"message": "reset by peer"}},
        sort=[{"@timestamp": "desc"}],
        size=3,
        highlight={"fields": {"message": {}}},
    ),
)
FOUND["total"] = answer["hits"]["total"]
FOUND["first"] = [hit["_id"] for hit in answer["hits"]["hits"]]
FOUND["highlight"] = answer["hits"]["hits"][1]["highlight"]["message"]
FOUND["count"] = es.count(index=index, **body(query={"term": {"level": "ERROR"}}))["count"]
scanned = [hit["_id"] for hit in helpers.scan(es, index=index, query={"query": {"match_all": {}}}, size=60)]
FOUND["scanned"] = [len(scanned), len(set(scanned))]

answer = es.search(
    index=index,
    **body(
        size=0,
        aggs={
            "services": {"terms": {"field": "service.keyword"}, "aggs": {"took": {"avg": {"field": "took"}}}},
            "minutes": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1m"}},
            "users": {"cardinality": {"field": "user.id"}},
        },
    ),
)["aggregations"]
FOUND["services"] = [[one["key"], one["doc_count"], one["took"]["value"]] for one in answer["services"]["buckets"]]
FOUND["minutes"] = [one["doc_count"] for one in answer["minutes"]["buckets"]]
FOUND["users"] = answer["users"]["value"]

if CLIENT == "opensearch":
    point = es.create_pit(index=index, params={"keep_alive": "1m"})["pit_id"]
else:
    point = es.open_point_in_time(index=index, keep_alive="1m")["id"]
helpers.bulk(es, [{"_index": index, "message": "later"}], refresh=True)
seen, after = [], {}
while True:
    asked = body(size=70, pit={"id": point, "keep_alive": "1m"}, sort=[{"took": "asc"}], **after)
    page = es.search(**asked)
    if not page["hits"]["hits"]:
        break
    seen += [hit["_id"] for hit in page["hits"]["hits"]]
    after, point = {"search_after": page["hits"]["hits"][-1]["sort"]}, page["pit_id"]
FOUND["point"] = seen == [str(number) for number in range(250)]
FOUND["closed"] = (
    es.delete_pit(body={"pit_id": [point]})["pits"][0]["successful"]
    if CLIENT == "opensearch"
    else es.close_point_in_time(id=point)["succeeded"]
)
pairs = [{"index": index}, {"query": {"match_all": {}}, "size": 1}, {"index": "none"}, {"query": {"match_all": {}}}]
answers = es.msearch(**({"body": pairs} if CLIENT == "opensearch" else {"searches": pairs}))["responses"]
FOUND["several"] = [one["status"] for one in answers]
try:
    es.search(index=index, **body(query={"mach": {}}))
except RequestError as failure:
    FOUND["refused"] = str(failure)
if CLIENT != "opensearch":
    from elasticsearch.dsl import A, Q, Search

    asked = Search(using=es, index=index).query("bool", filter=[Q("term", level="ERROR")]).sort("-@timestamp")[:3]
    asked.aggs.bucket("per", A("date_histogram", field="@timestamp", fixed_interval="2m")).metric(
        "m", "max", field="took"
    )
    answer = asked.execute()
    FOUND["dsl"] = [
        answer.hits.total.value,
        [hit.meta.id for hit in answer],
        answer.aggregations.per.buckets[-1].m.value,
    ]
print(json.dumps(FOUND))
