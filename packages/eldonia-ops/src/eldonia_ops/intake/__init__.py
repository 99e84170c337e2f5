"""Protocols by which telemetry is sent to us: one folder each, with its codec and its routes.

An intake knows the platform by three sinks (:mod:`eldonia_ops.sinks`) and by this module. It declares what it answers
to and how it says that something is wrong; the HTTP side puts its routes behind the gate. All routes of all intakes,
those of plug-ins too, ask for a token that may ``ingest``: an intake has no say in that.

A third party offers its :class:`Intake` under the entry point group ``eldonia_ops.intake``::

    [project.entry-points."eldonia_ops.intake"]
    statsd = "my_package:INTAKE"
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from eldonia_ops.model.secret import Secret
from eldonia_ops.sinks import LogSink, SampleSink, SpanSink

T = TypeVar("T")
_NO_SECRET: Final = Secret("")

RETRY_AFTER_SECONDS: Final = 2
"""When to send again what could not be stored."""


class IntakeError(ValueError):
    """A request that is refused as a whole; the message is for the sender. ``code`` is a short stable name."""

    status = 400
    code = "bad_request"


class TooMuchError(IntakeError):
    """The request holds more than one request may."""

    status = 413
    code = "too_large"


class UnsupportedError(IntakeError):
    """The request is in a format, an encoding or a version that the intake does not take."""

    status = 415
    code = "media_type"


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """``unpacked`` is the size of a body after decompression, in bytes; ``labels`` how many a series may have, and
    ``label_value`` how many characters one of their values."""

    unpacked: int = 32 << 20
    labels: int = 64
    label_value: int = 2_048


@dataclass(frozen=True, slots=True)
class IntakeRequest:
    """A request that the gate let through. ``headers`` are by lower-case name; ``body`` is as it was sent, within
    ``limits.request``; ``sender`` names who sent it: the token's name and the address, and nothing that it says of
    itself."""

    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    sender: str

    @property
    def encoding(self) -> str:
        """The Content-Encoding; ``identity`` when there is none."""
        return self.headers.get("content-encoding", "identity").strip().lower()

    @property
    def content_type(self) -> str:
        """The Content-Type, with its parameters."""
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class IntakeAnswer:
    """What the sender is answered."""

    status: int
    body: bytes = b""
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a request, for :attr:`Intake.fault`: HTTP's status, and a sentence for the sender."""

    status: int
    message: str


class IntakePlatform(Protocol):
    """What an intake may use of the platform."""

    @property
    def logs(self) -> LogSink: ...
    @property
    def spans(self) -> SpanSink: ...
    @property
    def samples(self) -> SampleSink: ...
    @property
    def limits(self) -> IntakeLimits: ...

    def now_ns(self) -> int:
        """The present, Unix nanoseconds."""
        ...

    async def aside(self, work: Callable[[], T]) -> T:
        """Run work on a thread of the intakes. Decoding a large body takes seconds, in which alerting has to go on."""
        ...

    def refused(self, signal: str, sender: str, reasons: Mapping[str, int]) -> None:
        """Count what was refused of a sender, items by reason; people see it with the targets.

        ``signal`` is ``logs``, ``traces`` or ``metrics``.
        """
        ...


Accept = Callable[[IntakePlatform, IntakeRequest], Awaitable[IntakeAnswer]]

AcceptChunks = Callable[[IntakePlatform, IntakeRequest, AsyncIterator[bytes]], Awaitable[IntakeAnswer]]
"""Takes a body of any size as it comes, as it was sent; ``body`` of the request is empty."""


@dataclass(frozen=True, slots=True)
class StreamCredentials:
    """What clients of a listener have to know: ``shared_key``, if there is one, and the password of one of ``users``,
    if there are any."""

    shared_key: Secret = _NO_SECRET
    users: Mapping[str, Secret] = field(default_factory=dict)


NO_CREDENTIALS: Final = StreamCredentials()


class StreamConnection(Protocol):
    """A TCP connection that the platform has let in. It is closed when the intake returns or raises.

    No more is read from the network than the intake asks for, so a sender waits while a batch is stored.
    """

    @property
    def credentials(self) -> StreamCredentials:
        """What the client has to prove in the words of the protocol before anything is taken of it."""
        ...

    @property
    def sender(self) -> str:
        """Who sends, for people: the listener, the name in the client's certificate if it showed one, the address."""
        ...

    async def read(self, most: int) -> bytes:
        """From 1 to ``most`` bytes as they come; b"" when the sender has closed the connection, or the listener is
        being closed: what is complete should be stored then."""
        ...

    async def write(self, data: bytes) -> None:
        """Send bytes; waits while the other side does not take them, for 30 seconds at most.

        Raises:
            OSError: the connection is lost.
        """
        ...


ServeStream = Callable[[IntakePlatform, StreamConnection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Datagram:
    """What came in one packet, and its address for :meth:`Datagrams.reply`. ``sender`` is for people."""

    data: bytes
    sender: str
    address: tuple[str, int]


class Datagrams(Protocol):
    """The datagrams of a port, from senders that the platform lets in."""

    async def receive(self) -> Sequence[Datagram]:
        """Those that came since the last call, at least one; none when the listener has been closed. What comes while
        so many wait that there is no room for more is dropped and counted."""
        ...

    def reply(self, address: tuple[str, int], data: bytes) -> None:
        """Send a datagram back, if that is possible now."""
        ...


ServeDatagrams = Callable[[IntakePlatform, Datagrams], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class HttpListener:
    """A port of its own at which the routes of the intake, and nothing else, are served when the settings ask for it
    (``listeners.<name>``). ``port`` is the usual one."""

    name: str
    port: int


@dataclass(frozen=True, slots=True)
class StreamListener:
    """A TCP port of its own, opened when the settings ask for it (``listeners.<name>``); ``port`` is the usual one.

    ``serve`` talks to one connection until its end. The protocol has no tokens: the platform opens the port on a
    loopback address and only if the settings say ``anonymous: ingest``, or asks for a client's certificate.
    ``shared_key``: the protocol can prove a key, and ``serve`` asks for the credentials of the connection; so with a
    key in the settings everybody may connect. ``datagrams`` serves UDP at the same port. ``most_connections`` bounds
    how many there are at once.
    """

    name: str
    port: int
    serve: ServeStream
    shared_key: bool = False
    datagrams: ServeDatagrams | None = None
    most_connections: int = 100


@dataclass(frozen=True, slots=True)
class IntakeRoute:
    """An address to which data of one ``signal`` is sent.

    ``accept`` answers when the data is stored. It may raise an :class:`IntakeError` (counted, and answered in the words
    of the intake) or let a :class:`~eldonia_ops.ports.TelemetryError` pass: then the sender is answered 503 with a
    Retry-After. A path may have parameters as Starlette's have: ``/bulk/{index}``. ``apart``: it is served at the
    intake's own listener alone, for its path would hide others. ``accept_chunks`` is in the place of ``accept`` where
    bodies have no bound.
    """

    path: str
    signal: str
    accept: Accept | None
    methods: tuple[str, ...] = ("POST",)
    apart: bool = False
    accept_chunks: AcceptChunks | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """One protocol. ``fault`` writes an error as its clients expect one, given the headers of the request.

    Addresses without a route that begin with ``prefix`` are also answered by ``fault``, if one is given. ``listeners``
    are ports of its own that the settings may open. ``dialect`` is the API of the platform (``prometheus``, …) whose
    listener serves these routes too.
    """

    name: str
    routes: Sequence[IntakeRoute]
    fault: Callable[[Mapping[str, str], Fault], IntakeAnswer]
    prefix: str = ""
    listeners: Sequence[HttpListener | StreamListener] = ()
    dialect: str = ""
