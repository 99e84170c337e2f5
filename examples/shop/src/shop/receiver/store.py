"""What arrived, in memory and in a file of JSON lines."""

import json
import os
from datetime import UTC, datetime
from typing import Any

MAX_KEPT = 10_000


class Store:
    """Keeps the last 10,000 arrivals by number; ``path`` '' keeps them in memory only.

    What the file holds from before is read again, so numbers go on from the last one.
    """

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._arrivals: list[dict[str, Any]] = []
        self.last = 0
        if path:
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
            self._read()

    def _read(self) -> None:
        try:
            with open(self._path, encoding="utf-8") as file:
                for line in file:
                    try:
                        arrival = json.loads(line)
                        self.last = max(self.last, int(arrival["n"]))
                    except (ValueError, KeyError, TypeError):
                        continue  # cut short when the process was killed
                    self._arrivals.append(arrival)
        except FileNotFoundError:
            return
        del self._arrivals[:-MAX_KEPT]
        with open(self._path, "rb+") as file:  # end a line that was cut short
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n":
                file.write(b"\n")

    def add(self, **arrival: Any) -> dict[str, Any]:
        """Number, date and keep one arrival."""
        self.last += 1
        arrival = {"n": self.last, "at": datetime.now(UTC).isoformat(timespec="milliseconds"), **arrival}
        self._arrivals.append(arrival)
        del self._arrivals[:-MAX_KEPT]
        if self._path:
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps(arrival, ensure_ascii=False) + "\n")
        return arrival

    def since(self, number: int) -> list[dict[str, Any]]:
        """Arrivals with a greater number, oldest first."""
        return [arrival for arrival in self._arrivals if arrival["n"] > number]
