"""Looks at a TCP endpoint from outside: does it accept, does TLS succeed, does it say what it should."""

import asyncio
import ssl
import time
from dataclasses import dataclass

from eldonia_ops.collectors.addresses import resolve
from eldonia_ops.collectors.network_errors import explain
from eldonia_ops.collectors.tls_contexts import TlsContexts
from eldonia_ops.ports import ProbeResult

_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class TcpCheck:
    """Where to connect and what to expect; ``send`` goes out first, then ``expect`` must come back."""

    host: str
    port: int
    tls: bool = False
    verify_certificate: bool = True
    send: bytes = b""
    expect: bytes = b""
    timeout_ms: int = 5_000


class TcpProber:
    """Implements :class:`eldonia_ops.ports.Prober`."""

    def __init__(self, check: TcpCheck, contexts: TlsContexts | None = None) -> None:
        self._check = check
        made = contexts or TlsContexts()
        self._context = made.get(verify=check.verify_certificate) if check.tls else None

    async def probe(self) -> ProbeResult:
        """Look once."""
        started = time.perf_counter()
        seconds = self._check.timeout_ms / 1000
        phases = {"resolve": 0.0, "connect": 0.0, "tls": 0.0, "processing": 0.0}
        detail, expires_at = "", 0
        try:
            async with asyncio.timeout(seconds):
                expires_at, detail = await self._look(phases)
        except (OSError, ValueError, ExceptionGroup) as error:
            detail = explain(error, seconds)
        return ProbeResult(
            success=not detail,
            duration_seconds=time.perf_counter() - started,
            detail=detail,
            phases=phases,
            certificate_expires_at=expires_at,
        )

    async def _look(self, phases: dict[str, float]) -> tuple[int, str]:
        check = self._check
        at = time.perf_counter()

        def phase(name: str) -> None:
            nonlocal at
            now = time.perf_counter()
            phases[name], at = now - at, now

        address = await resolve(check.host, check.port)
        phase("resolve")
        reader, writer = await asyncio.open_connection(address, check.port)
        expires_at = 0
        try:
            phase("connect")
            if self._context is not None:
                await writer.start_tls(self._context, server_hostname=check.host)
                phase("tls")
                until = (writer.get_extra_info("ssl_object").getpeercert() or {}).get("notAfter")
                expires_at = int(ssl.cert_time_to_seconds(until)) * 1000 if until else 0
            if check.send:
                writer.write(check.send)
                await writer.drain()
            if check.expect:
                answer = b""
                while check.expect not in answer:
                    chunk = await reader.read(4096)
                    answer += chunk
                    if not chunk or len(answer) > _ANSWER_BYTES:
                        shown = answer[:80].decode("utf-8", "replace")
                        return (
                            expires_at,
                            f"the answer lacks {check.expect.decode('utf-8', 'replace')[:80]!r}: {shown!r}",
                        )
                phase("processing")
            writer.close()
            return expires_at, ""
        finally:
            # Does not wait for the other side's close: a peer that never closes would outlast the time limit.
            if not writer.is_closing():
                writer.transport.abort()
