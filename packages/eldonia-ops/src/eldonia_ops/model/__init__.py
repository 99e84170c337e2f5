"""The vocabulary that every other package speaks: plain values, no effects.

Units, everywhere in the pure core:

* an instant is an ``int`` of **Unix milliseconds** and its name ends in ``_at`` or ``_ms``;
* a duration is an ``int`` of **milliseconds** unless its name ends in ``_seconds`` or ``_ns``;
* log records and spans, which need finer clocks, carry ``*_ns`` fields: ``int`` Unix **nanoseconds**.
"""
