"""Variables, annotations and links of a dashboard."""

import re
from typing import Any, Final

from eldonia_ops.protocols.grafana.report import Report
from eldonia_ops.protocols.grafana.tables import SORTS
from eldonia_ops.protocols.grafana.targets import OURS, SOURCE_NAMES, Sources
from eldonia_ops.protocols.grafana.values import duration, lean, mapping, mappings, sequence, text, whole

ALL: Final = "$__all"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HIDE: Final = {0: "no", 1: "label", 2: "variable", 3: "no"}
_SORTS: Final = {number: word for word, number in SORTS.items()}
_OUR_SOURCES: Final = ("deploys", "configuration", "alerts", "incidents")


def variables_of(templating: Any, sources: Sources, report: Report) -> list[dict[str, Any]]:
    """Our variables; those of other kinds are left out."""
    found: dict[str, dict[str, Any]] = {}
    for one in mappings(mapping(templating).get("list")):
        name = text(one.get("name"))
        if not _NAME.fullmatch(name) or name.startswith("__") or name in found:
            report.dropped(f"variable {name}", "variable_name")
            continue
        variable = _variable(one, name, sources, report)
        if variable is not None:
            found[name] = variable
    return list(found.values())


def _variable(one: dict[str, Any], name: str, sources: Sources, report: Report) -> dict[str, Any] | None:
    what = f"variable {name}"
    common = lean(
        {
            "name": name,
            "label": text(one.get("label")),
            "description": text(one.get("description")),
            "hide": _hidden(one),
        }
    )
    kind = text(one.get("type"))
    match kind:
        case "query":
            return _query(one, common, what, sources, report)
        case "custom":
            options, defaults = _custom(one)
            return lean({**common, "type": "custom", "options": options, "default": defaults, **_several(one)})
        case "interval":
            return _interval(one, common)
        case "constant":
            return lean(
                {**common, "type": "constant", "query": text(one.get("query")) or next(iter(_current(one)), "")}
            )
        case "textbox":
            value = text(one.get("query")) or next(iter(_current(one)), "")
            return lean({**common, "type": "text", "default": [value] if value else []})
        case "datasource":
            report.changed(what, "datasource_variable")
            return None
    report.dropped(what, "variable_type", kind or "?")
    return None


def _hidden(one: dict[str, Any]) -> str | None:
    hide = one.get("hide")
    words = {"hideLabel": 1, "hideVariable": 2, "dontHide": 0}
    return {"no": None}.get(found := _HIDE[whole(words.get(text(hide), hide), 0, 3)], found)


def _several(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "multi": bool(one.get("multi")) or None,
        "include_all": bool(one.get("includeAll")) or None,
        "all_value": text(one.get("allValue")) if one.get("includeAll") else "",
    }


def _current(one: dict[str, Any]) -> list[str]:
    value = mapping(one.get("current")).get("value")
    values = [text(item) for item in sequence(value)] if isinstance(value, list) else [text(value)]
    return [item for item in values if item and not item.startswith("$__auto")]


def _defaults(one: dict[str, Any]) -> list[str]:
    found = _current(one)
    if one.get("includeAll") and (ALL in found or "All" in found):
        return [ALL]
    return [value for value in found if value != ALL]


def _query(
    one: dict[str, Any], common: dict[str, Any], what: str, sources: Sources, report: Report
) -> dict[str, Any] | None:
    kind = sources.kind_of(one.get("datasource"))
    if kind not in (None, "", "prometheus", OURS, "victoriametrics-metrics-datasource") and not text(kind).startswith(
        "--"
    ):
        report.dropped(what, "datasource", SOURCE_NAMES.get(text(kind), text(kind)))
        return None
    given = one.get("query")
    query = text(given) if isinstance(given, str) else text(mapping(given).get("query"))
    definition = text(one.get("definition"))
    if isinstance(given, dict) and not query:
        label, metric = text(given.get("label")), text(given.get("metric"))
        query = f"label_values({metric}, {label})" if metric and label else f"label_values({label})" if label else ""
    query = query or definition
    if not query:
        report.dropped(what, "variable_query")
        return None
    regex = text(one.get("regex"))
    return lean(
        {
            **common,
            "type": "query",
            "query": query,
            "regex": regex,
            "sort": {"none": None}.get(word := _SORTS.get(whole(one.get("sort"), 0, 8), "none"), word),
            "default": _defaults(one),
            "refresh": "time" if whole(one.get("refresh"), 0, 2) == 2 else None,
            **_several(one),
        }
    )


def _custom(one: dict[str, Any]) -> tuple[list[Any], list[str]]:
    query = text(one.get("query"))
    options: list[Any] = []
    # A comma within a value is written "\,".
    for part in re.split(r"(?<!\\),", query) if query else []:
        part = part.replace("\\,", ",").strip()
        if not part:
            continue
        label, colon, value = part.partition(" : ")
        options.append({"text": label.strip(), "value": value.strip()} if colon and value.strip() else part)
    if not options:
        for item in mappings(one.get("options")):
            value = text(item.get("value"))
            label = text(item.get("text"))
            if value and value != ALL:
                options.append(value if label in ("", value) else {"text": label, "value": value})
    return options, _defaults(one)


def _interval(one: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    words = [word.strip().strip("\"'") for word in text(one.get("query")).split(",")]
    count = whole(one.get("auto_count"), 0, 10_000) if one.get("auto") else 0
    current = text(mapping(one.get("current")).get("value"))
    chosen = "auto" if current.startswith("$__auto") else current
    return lean(
        {
            **common,
            "type": "interval",
            "options": [word for word in words if word],
            "auto_count": count or None,
            "auto_min": (duration(one.get("auto_min")) or "") if count else "",
            "default": [chosen] if chosen else [],
        }
    )


def annotations_of(annotations: Any, sources: Sources, report: Report) -> list[dict[str, Any]]:
    """Our annotations; Grafana's own store of annotations is left out without a word when it is the usual one."""
    found: list[dict[str, Any]] = []
    for one in mappings(mapping(annotations).get("list")):
        kind = sources.kind_of(one.get("datasource"))
        name = text(one.get("name")) or "Annotations"
        common = lean({"name": name, "color": text(one.get("iconColor"))})
        common |= lean(
            {"enabled": False if one.get("enable") is False else None, "hide": bool(one.get("hide")) or None}
        )
        source = text(one.get("source"))
        query = text(one.get("expr")) or text(mapping(one.get("target")).get("expr"))
        if kind == OURS and source in _OUR_SOURCES:
            found.append({**common, "source": source, **lean({"query": query})})
        elif one.get("builtIn") or kind in ("-- Grafana --", "grafana"):
            if not one.get("builtIn") and one.get("type") != "dashboard":
                report.dropped(f"annotation {name}", "annotation", "Grafana")
        elif query and kind in (None, "", "prometheus", OURS):
            found.append(
                lean(
                    {
                        **common,
                        "source": "promql",
                        "query": query,
                        "title": text(one.get("titleFormat")),
                        "text": text(one.get("textFormat")),
                        "tags": [word.strip() for word in text(one.get("tagKeys")).split(",") if word.strip()],
                        "interval": duration(one.get("step")) or "",
                    }
                )
            )
        else:
            report.dropped(f"annotation {name}", "annotation", text(kind) or "another source")
    return found


def links_of(links: Any, report: Report) -> list[dict[str, Any]]:
    """Links of a dashboard or panel."""
    found: list[dict[str, Any]] = []
    for one in mappings(links):
        link = lean(
            {
                "title": text(one.get("title")),
                "tooltip": text(one.get("tooltip")),
                "keep_time": bool(one.get("keepTime")) or None,
                "keep_variables": bool(one.get("includeVars")) or None,
                "new_tab": bool(one.get("targetBlank")) or None,
            }
        )
        url = text(one.get("url")) or text(one.get("dashUri"))
        tags = [text(tag) for tag in sequence(one.get("tags")) if text(tag)]
        match = re.match(r"/d/([A-Za-z0-9_-]{1,40})(?:/[^?]*)?$", url)
        if one.get("type") == "dashboards" or (tags and not url):
            link |= lean({"tags": tags, "as_list": bool(one.get("asDropdown")) or None})
            if not tags:
                continue
        elif match:
            link["dashboard"] = match[1]
        elif url:
            link["url"] = url
        else:
            report.dropped("link", "link")
            continue
        found.append(link)
    return found
