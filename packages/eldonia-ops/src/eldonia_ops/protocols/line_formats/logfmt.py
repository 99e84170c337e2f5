"""logfmt: ``time=2026-11-30T08:00:00Z level=info msg="request done" status=200``.

https://brandur.org/logfmt; Go's slog, logrus and go-kit write it. A line is taken for it when most of it is pairs, at
least two, and one of them is a message or a level. The fields then mean what the same ones mean in a JSON line.
"""

from typing import Final

from eldonia_ops.pipeline.logfmt_pairs import Value, pair_at, typed

NAME: Final = "logfmt"

_EXPECTED: Final = frozenset({"msg", "message", "level", "lvl", "severity"})
_MOST: Final = 256


def pairs(text: str) -> dict[str, Value] | None:
    """The pairs of a line, None for a line that is not logfmt. Of a key that is there twice the last counts."""
    if "=" not in text[:200]:
        return None
    found: dict[str, Value] = {}
    at = count = bare = 0
    text = text.strip(" ")
    while at < len(text):
        pair = pair_at(text, at)
        count += 1
        if pair is None or count > _MOST:
            return None
        key, written, at = pair
        if written is None:
            if key in _EXPECTED:
                return None
            bare += 1
            found[key] = True
        else:
            found[key] = typed(written)
    valued = count - bare
    return found if valued >= 2 and valued > bare and not _EXPECTED.isdisjoint(found) else None
