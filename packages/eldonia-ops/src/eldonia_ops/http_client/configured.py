"""The settings of requests as the client takes them."""

from eldonia_ops.alerting.http_config import Credential, HttpConfig, OAuth2Config, ProxyConfig, TlsConfig
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.http_requests import HttpSettings


def http_config_of(settings: HttpSettings) -> HttpConfig:
    """How requests go under these settings. A token is asked for the same way as what it is for."""
    tls = TlsConfig(
        ca=Credential(settings.ca),
        cert=Credential(settings.cert),
        key=Credential(settings.key),
        server_name=settings.server_name,
        insecure_skip_verify=settings.insecure_skip_verify,
        min_version=settings.min_version,
        max_version=settings.max_version,
    )
    tunnel = tuple((name, Credential(value)) for name, value in settings.proxy_connect_header.items())
    proxy = ProxyConfig(Credential(settings.proxy_url), settings.no_proxy, settings.proxy_from_environment, tunnel)
    oauth2 = None
    if settings.token_url:
        secret, url = Credential(settings.client_secret), Credential(Secret(settings.token_url))
        parameters = tuple(settings.endpoint_params.items())
        oauth2 = OAuth2Config(settings.client_id, secret, url, settings.scopes, parameters, proxy, tls)
    headers = tuple((name, Credential(value)) for name, value in settings.http_headers.items())
    return HttpConfig(
        authorization_type=settings.authorization_type,
        authorization=Credential(settings.credentials),
        oauth2=oauth2,
        follow_redirects=settings.follow_redirects,
        headers=headers,
        proxy=proxy,
        tls=tls,
    )
