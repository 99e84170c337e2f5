"""The listeners that the settings open beside the main one: bound first, then served, and changed by a reload.

A listener that cannot be opened stops a start, as the main one does: its clients would send into nothing, or to another
program, while everything looks well. For the same reason a reload changes nothing then.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.listening.connections import Places
from eldonia_ops.app.listening.listener import HttpServer, address_of, bind
from eldonia_ops.app.listening.server_tls import server_tls
from eldonia_ops.app.listening.stream_server import StreamAccess, StreamServer
from eldonia_ops.app.modules import Inert
from eldonia_ops.intake import StreamCredentials, StreamListener
from eldonia_ops.intake.registry import listeners_of
from eldonia_ops.model.access import Role
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.places import is_loopback
from eldonia_ops.protocols.prometheus.web_config import ServerTls
from eldonia_ops.services.api import ListenerView
from eldonia_ops.services.own_metrics import escaped
from eldonia_ops.settings import Listen, ListenerSettings
from eldonia_ops.settings.listeners import DIALECTS, conflicts
from eldonia_ops.web.http_side import HttpSide

log = logging.getLogger("eldonia_ops.listeners")

_FREED_SECONDS: Final = 2.0
_BACKLOG: Final = 2048


class _Changeable:
    """An application that can be replaced: connections that are open reach the new one with their next request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@dataclass(slots=True)
class _Port:
    """One listener that is open, at the port ``number``. ``authority`` is the text of the file that vouches for its
    clients."""

    settings: ListenerSettings
    authority: bytes
    number: int
    address: str
    server: HttpServer | StreamServer
    tls: ssl.SSLContext | None
    app: _Changeable | None


class ListenersModule(Inert):
    """Opens, changes and closes listeners. Its sockets are bound when it is made, and served from :meth:`start` on.

    ``main`` is where the main listener binds; ``places`` are shared with it.

    Raises:
        ConfigError: an address is taken, or a certificate cannot be used.
    """

    name = "listeners"

    def __init__(self, wanted: Mapping[str, ListenerSettings], main: Listen, places: Places) -> None:
        self._main = main
        self._places = places
        self._ports: dict[str, _Port] = {}
        self._leaving: dict[asyncio.Task[None], int] = {}
        self._side: HttpSide | None = None
        self._check(wanted)
        self._wanted = wanted
        self._contexts = {name: _tls(name, one) for name, one in wanted.items()}
        self._bound: dict[str, socket.socket] = {}
        try:
            for name, one in wanted.items():
                self._bound[name] = _bind(name, one)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Close the sockets that are not served."""
        while self._bound:
            self._bound.popitem()[1].close()

    async def start(self, side: HttpSide) -> None:
        """Serve what was bound.

        Raises:
            ConfigError: a listener cannot be served; those before it are open.
        """
        self._side = side
        for name, one in self._wanted.items():
            served = _served(side, name, one)
            await self._open(side, name, one, served, self._contexts[name], self._bound.pop(name))

    async def apply(self, configuration: Configuration) -> None:
        """Open, change and close what differs. All that can fail comes before anything closes.

        Only an address that overlaps with one of ours that closes (0.0.0.0 and 127.0.0.1 at one port) is bound behind
        it. If that fails, who applies the configuration before again has the old listeners opened again.
        """
        wanted, side = configuration.settings.listeners, self._side
        if side is None:
            return
        self._check(wanted)
        contexts = {name: _tls(name, one) for name, one in wanted.items()}
        kept = {name for name, port in self._ports.items() if name in wanted and _stays(port, wanted[name])}
        going = {name: port for name, port in self._ports.items() if name not in kept}
        new = {name: one for name, one in wanted.items() if name not in kept}
        served = {name: _served(side, name, one) for name, one in new.items()}
        try:
            self._bind_before_closing(new, going)
            for name in going:
                self._leave(name)
            for name, one in new.items():
                if name not in self._bound:
                    self._bound[name] = await _bind_when_freed(name, one)
            for name, one in new.items():
                await self._open(side, name, one, served[name], contexts[name], self._bound.pop(name))
        finally:
            self.release()
        for name in kept:
            self._change(side, name, wanted[name])
        self._wanted = wanted

    async def close(self) -> None:
        """Close all, and wait for what is under way, for 5 seconds at most."""
        self.release()
        for name in list(self._ports):
            self._leave(name)
        await asyncio.gather(*self._leaving)

    def views(self) -> tuple[ListenerView, ...]:
        """The listeners that are open."""
        return tuple(
            ListenerView(name, port.address, port.settings.anonymous, counts.open, counts.accepted)
            for name, port in self._ports.items()
            for counts in (self._places.of(name),)
        )

    def metrics(self) -> Mapping[str, float]:
        """Connections of every listener, the main one among them."""
        found: dict[str, float] = {}
        for name, counts in self._places.counts.items():
            label = f'{{listener="{escaped(name)}"}}'
            found[f"eldonia_ops_listener_connections{label}"] = float(counts.open)
            found[f"eldonia_ops_listener_connections_total{label}"] = float(counts.accepted)
            found[f"eldonia_ops_listener_connections_refused_total{label}"] = float(counts.refused)
        return found

    def _check(self, wanted: Mapping[str, ListenerSettings]) -> None:
        """The settings were checked; what the command line says instead of them was not."""
        for first, second in conflicts(wanted, self._main):
            message = f"the listener {second} has the address of {first}: {wanted[second].listen}"
            raise ConfigError(Diagnostic(message, hint=_hint(second)))

    def _bind_before_closing(self, new: Mapping[str, ListenerSettings], going: Mapping[str, _Port]) -> None:
        """Sockets that listen already. At an address of a listener that closes it is the same socket: no client is
        refused meanwhile."""
        freed = {*(port.number for port in going.values()), *self._leaving.values()}
        for name, one in new.items():
            # Port 0 is any port: that which the listener of this name has.
            held = [
                port.server
                for other, port in going.items()
                if port.settings.address == one.address
                and (one.port == port.number or (not one.port and other == name))
            ]
            if held:
                self._bound[name] = held[0].listener.dup()
                continue
            try:
                self._bound[name] = bound = _bind(name, one)
            except ConfigError:
                if one.port not in freed:
                    raise
                continue
            try:
                bound.listen(_BACKLOG)
            except OSError as error:  # another program has bound it as well, and was first to listen
                raise _cannot_listen(name, one, error) from None

    async def _open(
        self,
        side: HttpSide,
        name: str,
        settings: ListenerSettings,
        served: StreamListener | _Changeable,
        tls: ssl.SSLContext | None,
        bound: socket.socket,
    ) -> None:
        app: _Changeable | None = None
        server: HttpServer | StreamServer
        if isinstance(served, _Changeable):
            app = served
            server, scheme = HttpServer(name, app, bound, self._places, tls), "https" if tls else "http"
        else:
            server = StreamServer(served, side.sinks, bound, self._places, tls, access=_access(settings))
            scheme = "tls" if tls else "tcp"
        try:
            await server.start()
        except OSError as error:
            bound.close()
            raise _cannot_listen(name, settings, error) from None
        number, address = bound.getsockname()[1], address_of(bound, scheme)
        self._ports[name] = _Port(settings, _authority(settings), number, address, server, tls, app)
        log.info("the listener %s is open at %s", name, address)

    def _change(self, side: HttpSide, name: str, settings: ListenerSettings) -> None:
        port = self._ports[name]
        if port.tls is not None:
            assert settings.cert_file is not None
            assert settings.key_file is not None
            port.tls.load_cert_chain(settings.cert_file, settings.key_file, password="")  # it was tried before
        if isinstance(port.server, StreamServer):
            port.server.access = _access(settings)
        if port.app is not None and port.settings.anonymous != settings.anonymous:
            port.app.app = _application(side, name, settings)
        port.settings = settings

    def _leave(self, name: str) -> None:
        port = self._ports.pop(name)
        port.server.close()
        log.info("the listener %s closes", name)
        task = asyncio.create_task(port.server.stop(), name=f"listener {name}")
        self._leaving[task] = port.number
        task.add_done_callback(self._leaving.pop)


def _served(side: HttpSide, name: str, settings: ListenerSettings) -> StreamListener | _Changeable:
    """What answers at a listener.

    Raises:
        ConfigError: the intake that it belongs to could not be loaded.
    """
    try:
        if name not in DIALECTS:
            listener = listeners_of(side.intakes)[name][1]
            if isinstance(listener, StreamListener):
                return listener
        return _Changeable(_application(side, name, settings))
    except LookupError:
        raise ConfigError(Diagnostic(f"the listener {name} has no intake: the log says why")) from None


def _application(side: HttpSide, name: str, settings: ListenerSettings) -> ASGIApp:
    return side.listener(name, loopback=is_loopback(settings.address), anonymous=settings.anonymous)


def _access(settings: ListenerSettings) -> StreamAccess:
    users = {one.username: one.password for one in settings.users}
    return StreamAccess(
        settings.anonymous == Role.INGEST, StreamCredentials(settings.shared_key, users), settings.udp_from
    )


def _stays(port: _Port, wanted: ListenerSettings) -> bool:
    """Whether the socket and its TLS can stay: certificate and key can be read again, but no authority taken back."""
    return (
        port.settings.listen == wanted.listen
        and (port.settings.cert_file is None) == (wanted.cert_file is None)
        and (port.settings.client_ca_file is None) == (wanted.client_ca_file is None)
        and port.authority == _authority(wanted)
        and _datagrams(port.settings) == _datagrams(wanted)
    )


def _datagrams(settings: ListenerSettings) -> bool:
    """Whether a protocol that has datagrams takes any."""
    return settings.anonymous == Role.INGEST or bool(settings.udp_from) or bool(settings.shared_key)


def _authority(settings: ListenerSettings) -> bytes:
    """OpenSSL has read it before, and said what is wrong with it."""
    return b"" if settings.client_ca_file is None else settings.client_ca_file.read_bytes()


def _tls(name: str, settings: ListenerSettings) -> ssl.SSLContext | None:
    if settings.cert_file is None or settings.key_file is None:
        return None
    authority = settings.client_ca_file
    try:
        return server_tls(
            ServerTls(
                str(settings.cert_file),
                str(settings.key_file),
                str(authority or ""),
                "required" if authority is not None else "",
            )
        )
    except ConfigError as error:
        hint = f"listeners.{name}.tls names it"
        raise ConfigError([Diagnostic(one.message, one.file, hint=hint) for one in error.diagnostics]) from None


def _bind(name: str, settings: ListenerSettings) -> socket.socket:
    return bind(settings.listen, f"the listener {name}", _hint(name))


def _cannot_listen(name: str, settings: ListenerSettings, error: OSError) -> ConfigError:
    message = f"the listener {name} cannot listen on {settings.listen}: {error.strerror or error}"
    return ConfigError(Diagnostic(message, hint=_hint(name)))


async def _bind_when_freed(name: str, settings: ListenerSettings) -> socket.socket:
    """Bind to a port that another listener of ours is giving up: the event loop closes it with its next turns."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _FREED_SECONDS
    while True:
        try:
            return _bind(name, settings)
        except ConfigError:
            if loop.time() > until:
                raise
        await asyncio.sleep(0.02)


def _hint(name: str) -> str:
    return f"does another program listen there? choose another port: listeners.{name}.port"
