"""Delivery over real sockets: a slow HTTP server, a closed port, an SMTP server."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from eldonia_ops.alerting.http_config import Credential
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.model.secret import Secret
from eldonia_ops.notifiers.email import deliver
from eldonia_ops.notifiers.email.config import EmailConfig
from eldonia_ops.notifiers.email.deliver import EmailNotifier
from eldonia_ops.notifiers.webhook.config import WebhookConfig
from eldonia_ops.notifiers.webhook.deliver import WebhookNotifier
from eldonia_ops.ports import DeliveryResult

MAIL = {"to": "A <a@example.org>, b@example.org", "from": "ops@example.org", "headers": {"Subject": "落ちた"}, "html": "<p>x</p>", "text": ""}  # fmt: skip  # noqa: E501


def outgoing(payload):
    return Outgoing(1, "key-1", "team", "x", 0, "q", payload)


async def serve(handle):
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def test_a_server_that_drips_its_answer_is_cut_off():
    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except OSError:
            pass
        finally:
            writer.close()

    server, port = await serve(drip)
    config = WebhookConfig(url=Credential(Secret(f"http://127.0.0.1:{port}/")), timeout=300)
    async with asyncio.timeout(30), httpx.AsyncClient() as client:
        delivery = await WebhookNotifier(config, client).deliver(outgoing({"a": 1}))
    server.close()
    assert delivery.result is DeliveryResult.RETRY
    assert "did not answer within 0.3 s" in delivery.detail


async def test_a_closed_port_is_tried_again_later():
    server, port = await serve(lambda *_: None)
    server.close()
    await server.wait_closed()
    config = WebhookConfig(url=Credential(Secret(f"http://127.0.0.1:{port}/hook/S3CRET")))
    async with httpx.AsyncClient() as client:
        delivery = await WebhookNotifier(config, client).deliver(outgoing({}))
    assert delivery.result is DeliveryResult.RETRY
    assert "S3CRET" not in delivery.detail


class Mailbox:
    """Speaks as much SMTP as a client needs, and keeps what it was given."""

    def __init__(self, rcpt="250 ok"):
        self.rcpt = rcpt
        self.commands = []
        self.data = b""

    async def __call__(self, reader, writer):
        writer.write(b"220 test ESMTP\r\n")
        while line := await reader.readline():
            command = line.decode().strip()
            self.commands.append(command)
            verb = command.split(" ")[0].split(":")[0].upper()
            if verb == "EHLO":
                writer.write(b"250-test\r\n250 SMTPUTF8\r\n")
            elif verb == "DATA":
                writer.write(b"354 go\r\n")
                self.data = await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 taken\r\n")
            elif verb == "RCPT":
                writer.write(self.rcpt.encode() + b"\r\n")
            elif verb == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 ok\r\n")
        writer.close()


def email_config(port, **more):
    return EmailConfig("a@example.org", "ops@example.org", f"127.0.0.1:{port}", **more)


async def test_mail_arrives_for_every_recipient():
    mailbox = Mailbox()
    server, port = await serve(mailbox)
    mail = replace(outgoing(MAIL), created_at=7_000)
    delivery = await EmailNotifier(email_config(port, require_tls=False)).deliver(mail)
    server.close()
    assert delivery.result is DeliveryResult.DELIVERED, delivery
    assert [item.split("<")[1] for item in mailbox.commands if item.upper().startswith("RCPT")] == [
        "a@example.org>",
        "b@example.org>",
    ]
    assert b"Message-ID: <key-1@eldonia-ops>" in mailbox.data
    assert b"Date: Thu, 01 Jan 1970 00:00:07 -0000" in mailbox.data
    assert b"<p>x</p>" in mailbox.data


@pytest.mark.parametrize(
    ("begin", "port_of_tls"),
    [
        (b"2", False),
        (b"220 x\r\n250 x\r\n", False),
        (b"", False),
        (b"\x16\x03\x03\x3f\xff", True),  # a record of the handshake, whose 16 KiB come byte by byte
    ],
)
async def test_a_mail_server_that_never_ends_its_answer_is_cut_off_and_keeps_no_thread_of_others(
    begin: bytes, port_of_tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "LONGEST_SECONDS", 0.5)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    ended = 0

    async def tarpit(reader, writer):
        nonlocal ended
        writer.write(begin)

        async def drip() -> None:
            while True:
                await asyncio.sleep(0.05)
                writer.write(b"2")

        dripping = asyncio.create_task(drip())
        while await reader.read(1000):
            pass
        dripping.cancel()
        ended += 1
        writer.close()

    server, port = await serve(tarpit)
    if port_of_tls:
        monkeypatch.setattr(deliver, "TLS_PORT", port)
    notifier = EmailNotifier(email_config(port, require_tls=False))
    deliveries = [asyncio.create_task(notifier.deliver(outgoing(MAIL))) for _ in range(5)]
    await asyncio.sleep(0.1)
    async with asyncio.timeout(0.3):
        await asyncio.to_thread(int)
    for delivery in await asyncio.gather(*deliveries):
        assert delivery.result is DeliveryResult.RETRY
        assert "took too long" in delivery.detail
    async with asyncio.timeout(5):
        while ended < 5:  # noqa: ASYNC110 - the other side has no event for it
            await asyncio.sleep(0.01)
    server.close()


async def test_refused_recipients_and_missing_tls():
    for rcpt, result in (("550 unknown", DeliveryResult.REJECTED), ("451 later", DeliveryResult.RETRY)):
        server, port = await serve(Mailbox(rcpt))
        delivery = await EmailNotifier(email_config(port, require_tls=False)).deliver(outgoing(MAIL))
        server.close()
        assert delivery.result is result
    server, port = await serve(Mailbox())
    delivery = await EmailNotifier(email_config(port)).deliver(outgoing(MAIL))
    server.close()
    assert delivery.result is DeliveryResult.REJECTED
    assert "STARTTLS" in delivery.detail
