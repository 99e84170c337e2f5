"""Java's patterns of times, taken apart: ``yyyy-MM-dd'T'HH:mm`` is letters, and texts between them."""

from itertools import groupby


def pattern_parts(pattern: str) -> list[tuple[str, str]]:
    """The parts of a pattern: runs of one letter as ``(run, "")``, and texts as ``("", text)``.

    Between quotes a letter is a text, and two quotes are one.
    """
    found: list[tuple[str, str]] = []
    for number, piece in enumerate(pattern.split("'")):
        if number % 2:
            found.append(("", piece or "'"))
            continue
        for letter, run in groupby(piece):
            text = "".join(run)
            found.append((text, "") if letter.isascii() and letter.isalpha() else ("", text))
    return found
