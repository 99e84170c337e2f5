"""What a rule would have done: from the instants at which its expression had a result to the times at which it would
have fired. Pure."""

from collections.abc import Iterator, Sequence


def firings(instants: Sequence[int], step_ms: int, for_ms: int) -> Iterator[tuple[int, int]]:
    """Start and end of each time in which an alert would have fired (Unix ms).

    ``instants`` are those, ascending and ``step_ms`` apart, at which one series had a result. The alert fires once it
    has had one without a gap for ``for_ms``, and ends a step after the last.
    """
    begun = before = None
    for at in [*instants, None]:
        if before is not None and begun is not None and (at is None or at - before > step_ms):
            if before - begun >= for_ms:
                yield begun + for_ms, before + step_ms
            begun = at
        elif begun is None:
            begun = at
        before = at
