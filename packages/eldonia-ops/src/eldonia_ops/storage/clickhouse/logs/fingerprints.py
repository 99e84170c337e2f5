"""Numbers of all documents that have ids of their own, by which is known which ids are free."""

from typing import Final

import numpy as np

from eldonia_ops.model.fingerprints import Numbers
from eldonia_ops.storage.clickhouse.engines.engine import Engine

_SQL: Final = r"""
SELECT reinterpretAsUInt64(substring(MD5(concat(
    toString(getSubcolumn(metadata, '_index')), '\n', toString(getSubcolumn(metadata, '_id'))
)), 1, 8)) FROM logs WHERE isNotNull(getSubcolumn(metadata, '_id')) LIMIT {most:UInt64}
"""


async def document_fingerprints(engine: Engine, most: int) -> Numbers | None:
    """One for each document, as :mod:`eldonia_ops.model.fingerprints` makes them; None when there are more."""
    body = await engine.query(_SQL, {"most": most + 1}, format="RowBinary")
    found = np.frombuffer(body, np.dtype("<u8"))
    return found if len(found) <= most else None
