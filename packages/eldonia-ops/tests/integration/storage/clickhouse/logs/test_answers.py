"""What the engine refuses is said in words that say what to do."""

import pytest

from eldonia_ops.ports import QueryTooLargeError, TelemetryLimitError
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.logs.answers import in_words


async def test_a_question_that_takes_too_long_says_what_to_change(engine: Engine) -> None:
    with pytest.raises(TelemetryLimitError) as refused:
        await engine.query(
            "SELECT sleepEachRow(0.1) FROM numbers(100) SETTINGS max_execution_time=0.3, max_block_size=1"
        )
    words = in_words(refused.value)
    assert isinstance(words, QueryTooLargeError)
    assert str(words).startswith("it takes longer than 15 s: search a shorter time")
