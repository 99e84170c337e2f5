"""The page that shows what arrived, newest first."""

import html
import json
from typing import Any

_STYLE = """
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{margin:2rem auto;max-width:60rem;padding:0 1rem}
article{border-left:4px solid #888;margin:0 0 .8rem;padding:.3rem .8rem;background:#8881}
.slack{border-color:#611f69}.pagerduty{border-color:#06ac38}.webhook{border-color:#2563eb}.refused{opacity:.6}
header{display:flex;gap:1rem;font-size:.85rem;opacity:.75;flex-wrap:wrap}
p{margin:.1rem 0;overflow-wrap:anywhere;white-space:pre-line}pre{overflow:auto;font-size:.8rem}
"""


def render(arrivals: list[dict[str, Any]]) -> str:
    """HTML without scripts; it reloads itself every three seconds."""
    rows = "".join(_row(arrival) for arrival in reversed(arrivals[-200:]))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">'
        '<meta name="viewport" content="width=device-width"><title>What people received</title>'
        f"<style>{_STYLE}</style></head><body><h1>What people received</h1>"
        f"{rows or '<p>Nothing so far.</p>'}</body></html>"
    )


def _row(arrival: dict[str, Any]) -> str:
    def text(value: object) -> str:
        return html.escape(str(value))

    refused = "" if arrival["accepted"] else " refused"
    where = f" → {text(arrival['to'])}" if arrival.get("to") else ""
    body = json.dumps(arrival["body"], ensure_ascii=False, indent=2)
    return (
        f'<article class="{text(arrival["kind"])}{refused}"><header><b>{text(arrival["kind"])}{where}</b>'
        f"<span>#{arrival['n']}</span><span>{text(arrival['at'])}</span><span>answered {arrival['status']}</span>"
        f"</header><p>{text(arrival['title'])}</p><details><summary>body</summary><pre>{text(body)}</pre></details>"
        "</article>"
    )
