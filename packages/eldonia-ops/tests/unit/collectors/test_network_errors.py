import asyncio

import httpx
import pytest
from anyio._backends._asyncio import SocketStream, StreamProtocol
from anyio.streams.tls import TLSAttribute

from eldonia_ops.collectors.network_errors import explain, lost_while_connecting


class _ClosedTransport(asyncio.Transport):
    """What uvloop leaves of a connection that has closed: no socket."""


async def test_a_connection_that_closes_at_once_is_a_failed_connection() -> None:
    stream = SocketStream(_ClosedTransport(), StreamProtocol())
    with pytest.raises(httpx.ConnectError) as raised, lost_while_connecting():
        stream.extra(TLSAttribute.ssl_object, None)  # as httpcore does with every new connection
    assert explain(raised.value) == "no connection: the other side closed the connection at once"


def test_other_faults_of_ours_stay_what_they_are() -> None:
    with pytest.raises(AttributeError), lost_while_connecting():
        None.status  # type: ignore[attr-defined]  # noqa: B018
