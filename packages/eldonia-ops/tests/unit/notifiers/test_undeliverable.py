import httpx

from eldonia_ops.alerting.http_config import Credential, HttpConfig, ProxyConfig, TlsConfig
from eldonia_ops.alerting.receivers import UndeliverableConfig
from eldonia_ops.http_client.endpoint import post
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.model.secret import Secret
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.ports import Delivery, DeliveryResult

OUTGOING = Outgoing(id=1, idempotency_key="k", receiver="r", integration="opsgenie", index=0, order_key="o", payload={})


async def test_an_integration_that_is_lacked_rejects_with_its_reason() -> None:
    async with httpx.AsyncClient() as client:
        notifier = built_in().notifier(UndeliverableConfig("opsgenie_configs is not supported yet"), client)
        assert await notifier.deliver(OUTGOING) == Delivery(
            DeliveryResult.REJECTED, "opsgenie_configs is not supported yet"
        )


async def test_nothing_is_sent_with_settings_that_cannot_be_applied() -> None:
    async with httpx.AsyncClient() as client:
        http = HttpConfig(unsupported="http_config: oauth2 is not supported yet")
        answer = await post(client, "http://127.0.0.1:1/", {}, what="the webhook", http=http)
    assert answer == Delivery(
        DeliveryResult.REJECTED, "nothing is sent to the webhook: http_config: oauth2 is not supported yet"
    )


async def test_certificates_that_are_not_there_are_said() -> None:
    async with httpx.AsyncClient() as client:
        http = HttpConfig(
            proxy=ProxyConfig(Credential(Secret("http://u:hunter2@127.0.0.1:1"))),
            tls=TlsConfig(ca=Credential(file="/nowhere/ca.pem")),
        )
        answer = await post(client, "https://127.0.0.1:1/", {}, what="the webhook", http=http)
    assert isinstance(answer, Delivery)
    assert answer.result is DeliveryResult.RETRY
    assert "No such file" in answer.detail
    assert "hunter2" not in answer.detail
