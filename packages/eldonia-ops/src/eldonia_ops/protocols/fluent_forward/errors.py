"""What can be wrong with a stream of the forward protocol."""


class ForwardError(ValueError):
    """What came is no message of the protocol; nothing behind it can be read. The message is a sentence of ours without
    anything that the sender wrote."""


class ForwardTooLargeError(ForwardError):
    """A message is larger than it may be, as it came or unpacked."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a message is larger than {limit:,} bytes")
        self.limit = limit
