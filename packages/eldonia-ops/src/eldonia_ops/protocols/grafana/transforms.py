"""Transformations, both ways."""

from typing import Any

from eldonia_ops.dashboards import transformations as ours
from eldonia_ops.dashboards.display import SortedBy
from eldonia_ops.protocols.grafana.report import Report
from eldonia_ops.protocols.grafana.tables import REDUCERS, reducers
from eldonia_ops.protocols.grafana.values import lean, mapping, mappings, number, sequence, text, whole

_OPS = {
    "equal": "=", "notEqual": "!=", "greater": ">", "greaterOrEqual": ">=", "lower": "<", "lowerOrEqual": "<=",
    "regex": "regex", "between": "range", "range": "range", "isNull": "null", "isNotNull": "not_null",
}  # fmt: skip
_OPS_BACK = {**{mine: theirs for theirs, mine in _OPS.items()}, "range": "between"}


def transformations_of(value: Any, report: Report) -> list[dict[str, Any]]:
    """Our transformations for those of a panel."""
    found: list[dict[str, Any]] = []
    for one in mappings(value):
        id = text(one.get("id"))
        if one.get("disabled"):
            continue
        taken = _one(id, mapping(one.get("options")), report)
        if taken is None:
            report.dropped("transformation", "transformation", id or "?")
        elif taken:
            found.append(taken)
    return found


def _names(value: Any) -> list[str]:
    return [text(one) for one in sequence(value) if text(one)]


def _one(id: str, options: dict[str, Any], report: Report) -> dict[str, Any] | None:
    match id:
        case "organize":
            return _organize(options)
        case "merge":
            return {"type": "merge"}
        case "concatenate":
            return {"type": "concatenate"}
        case "reduce":
            return lean(
                {
                    "type": "reduce",
                    "calcs": reducers(options.get("reducers")) or ["max"],
                    "columns": options.get("mode") == "reduceFields" or None,
                    "labels_as_columns": bool(options.get("labelsToFields")) or None,
                }
            )
        case "filterFieldsByName":
            return _filter_columns(options)
        case "filterByRefId":
            refs = text(options.get("include")) or text(options.get("exclude"))
            return lean(
                {
                    "type": "filter_queries",
                    "refs": [one for one in refs.strip("/^()$").split("|") if one],
                    "exclude": bool(text(options.get("exclude"))) or None,
                }
            )
        case "filterByValue":
            return _filter_rows(options, report)
        case "sortBy":
            by = [
                lean({"field": text(one.get("field")), "descending": bool(one.get("desc")) or None})
                for one in mappings(options.get("sort"))
                if text(one.get("field"))
            ]
            return {"type": "sort", "by": by}
        case "limit":
            return {"type": "limit", "count": whole(options.get("limitField"), 0, 1_000_000, 10)}
        case "calculateField":
            return _calculate(options, report)
        case "groupBy":
            return _group_by(options)
        case "joinByField" | "seriesToColumns":
            field = text(options.get("byField"))
            mode = "inner" if options.get("mode") == "inner" else None
            return lean({"type": "join", "field": "" if field == "Time" else field, "mode": mode})
        case "labelsToFields":
            return lean(
                {
                    "type": "labels_as_columns",
                    "value_label": text(options.get("valueLabel")),
                    "keep": _names(options.get("keepLabels")),
                }
            )
        case "renameByRegex":
            regex, new = text(options.get("regex")), text(options.get("renamePattern"))
            return lean({"type": "rename", "regex": regex, "replacement": new})
        case "seriesToRows":
            return {"type": "series_as_rows"}
        case "prepareTimeSeries":
            return {}  # series are what our queries give
    return None


def _organize(options: dict[str, Any]) -> dict[str, Any]:
    hidden = [name for name, off in mapping(options.get("excludeByName")).items() if off is True]
    order = sorted(
        (
            (number(place), name)
            for name, place in mapping(options.get("indexByName")).items()
            if number(place) is not None
        ),
        key=lambda pair: pair[0] or 0,
    )
    renamed = {name: text(new) for name, new in mapping(options.get("renameByName")).items() if text(new)}
    return lean({"type": "organize", "hide": hidden, "rename": renamed, "order": [name for _, name in order]})


def _filter_columns(options: dict[str, Any]) -> dict[str, Any]:
    exclude = mapping(options.get("exclude"))
    exclude = exclude if exclude.get("names") or exclude.get("pattern") else {}
    chosen = exclude or mapping(options.get("include"))
    return lean(
        {
            "type": "filter_columns",
            "names": _names(chosen.get("names")),
            "regex": text(chosen.get("pattern")),
            "exclude": bool(exclude) or None,
        }
    )


def _filter_rows(options: dict[str, Any], report: Report) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = []
    for one in mappings(options.get("filters")):
        config = mapping(one.get("config"))
        op = _OPS.get(text(config.get("id")))
        value = mapping(config.get("options"))
        if op is None or not text(one.get("fieldName")):
            report.dropped("transformation", "transformation_part", "filterByValue")
            continue
        first = value.get("from") if op == "range" else value.get("value")
        condition = lean({"field": text(one.get("fieldName")), "op": op, "to": number(value.get("to"))})
        if isinstance(first, str | int | float) and first != "":
            condition["value"] = first
        conditions.append(condition)
    return lean(
        {
            "type": "filter_rows",
            "conditions": conditions,
            "match": "any" if options.get("match") == "any" else None,
            "exclude": True if options.get("type") == "exclude" else None,
        }
    )


def _operand(value: Any) -> str:
    if isinstance(value, dict):
        matcher = mapping(value.get("matcher"))
        return text(value.get("fixed")) or text(matcher.get("options")) or text(value.get("field"))
    return text(value)


def _calculate(options: dict[str, Any], report: Report) -> dict[str, Any] | None:
    shared = {"name": text(options.get("alias")), "replace": bool(options.get("replaceFields")) or None}
    match options.get("mode", "reduceRow"):
        case "binary":
            binary = mapping(options.get("binary"))
            op = text(binary.get("operator")) or "+"
            if op not in ("+", "-", "*", "/", "%"):
                return None
            left, right = _operand(binary.get("left")), _operand(binary.get("right"))
            return lean({"type": "calculate", "left": left, "op": op, "right": right, **shared})
        case "reduceRow":
            reduce = mapping(options.get("reduce"))
            calc = reducers([reduce.get("reducer")])
            if not calc:
                return None
            return lean({"type": "calculate", "calc": calc[0], "of": _names(reduce.get("include")), **shared})
    return None


def _group_by(options: dict[str, Any]) -> dict[str, Any]:
    fields: list[dict[str, Any]] = []
    for name, value in mapping(options.get("fields")).items():
        operation = mapping(value).get("operation")
        if operation == "groupby":
            fields.append({"field": name, "group": True})
        elif operation == "aggregate":
            fields.append({"field": name, "calcs": reducers(mapping(value).get("aggregations"))})
    return {"type": "group_by", "fields": fields}


def to_grafana(one: ours.Transformation) -> dict[str, Any]:
    """A transformation as Grafana has it."""
    id, options = _back(one)
    return {"id": id, "options": options}


def _back(one: ours.Transformation) -> tuple[str, dict[str, Any]]:
    match one:
        case ours.Organize():
            order = {name: index for index, name in enumerate(one.order)}
            return "organize", {
                "excludeByName": dict.fromkeys(one.hide, True),
                "renameByName": dict(one.rename),
                "indexByName": order,
            }
        case ours.Merge():
            return "merge", {}
        case ours.Concatenate():
            return "concatenate", {}
        case ours.ReduceRows():
            mode = "reduceFields" if one.columns else "seriesToRows"
            return "reduce", {
                "reducers": [REDUCERS[calc] for calc in one.calcs],
                "mode": mode,
                "labelsToFields": one.labels_as_columns,
            }
        case ours.FilterColumns():
            chosen = lean({"names": list(one.names), "pattern": one.regex})
            return "filterFieldsByName", {"exclude" if one.exclude else "include": chosen}
        case ours.FilterQueries():
            return "filterByRefId", {"exclude" if one.exclude else "include": "|".join(one.refs)}
        case ours.FilterRows():
            return "filterByValue", {
                "type": "exclude" if one.exclude else "include",
                "match": one.match,
                "filters": [_condition(condition) for condition in one.conditions],
            }
        case ours.Sort():
            return "sortBy", {"sort": [_sorted(by) for by in one.by]}
        case ours.Limit():
            return "limit", {"limitField": one.count}
        case ours.Calculate():
            return "calculateField", _calculated(one)
        case ours.GroupBy():
            fields = {
                field.field: {
                    "operation": "groupby" if field.group else "aggregate",
                    "aggregations": [REDUCERS[calc] for calc in field.calcs],
                }
                for field in one.fields
            }
            return "groupBy", {"fields": fields}
        case ours.Join():
            mode = "inner" if one.mode == "inner" else "outer"
            return "joinByField", {"byField": one.field or "Time", "mode": mode}
        case ours.LabelsAsColumns():
            return "labelsToFields", lean({"valueLabel": one.value_label, "keepLabels": list(one.keep)})
        case ours.RenameByRegex():
            return "renameByRegex", {"regex": one.regex, "renamePattern": one.replacement}
        case ours.SeriesAsRows():
            return "seriesToRows", {}


def _sorted(by: SortedBy) -> dict[str, Any]:
    return {"field": by.field, "desc": by.descending}


def _condition(one: ours.RowCondition) -> dict[str, Any]:
    options = {"from": one.value, "to": one.to} if one.op == "range" else lean({"value": one.value, "to": one.to})
    return {"fieldName": one.field, "config": {"id": _OPS_BACK[one.op], "options": lean(options)}}


def _calculated(one: ours.Calculate) -> dict[str, Any]:
    shared = lean({"alias": one.name, "replaceFields": one.replace or None})
    if one.calc is not None and not one.op:
        reduce = {"reducer": REDUCERS[one.calc], "include": list(one.of)}
        return {"mode": "reduceRow", "reduce": reduce, **shared}
    return {"mode": "binary", "binary": {"left": one.left, "operator": one.op or "+", "right": one.right}, **shared}
