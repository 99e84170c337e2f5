import pytest

from eldonia_telemetry.security.cross_site import CrossSite, belong_together
from eldonia_telemetry.security.scanners import recognise

COOKIE = (b"cookie", b"session=1; csrftoken=" + b"a" * 32)


def judge(*headers: tuple[bytes, bytes], trusted: tuple[str, ...] = ()):
    found = CrossSite(trusted).judge(dict(headers))
    return found.kind if found else None


@pytest.mark.parametrize(
    "headers",
    [
        [(b"sec-fetch-site", b"cross-site")],
        [(b"sec-fetch-site", b"cross-site"), (b"origin", b"null")],
        [(b"origin", b"https://evil.example"), (b"host", b"shop.example")],
        [(b"origin", b"https://shop.example.evil.example"), (b"host", b"shop.example")],
        [(b"origin", b"https://evilshop.example"), (b"host", b"shop.example")],
    ],
)
def test_forged_requests(headers):
    assert judge(COOKIE, *headers) == "cross_site_request"
    assert judge(*headers) is None  # no session


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"sec-fetch-site", b"same-origin"), (b"origin", b"https://shop.example")],
        [(b"sec-fetch-site", b"same-site"), (b"origin", b"https://www.shop.example"), (b"host", b"api.shop.example")],
        [(b"sec-fetch-site", b"none")],
        [(b"origin", b"http://shop.example:8000"), (b"host", b"shop.example:8000")],
        [(b"origin", b"https://www.shop.example"), (b"host", b"shop.example")],
        [(b"origin", b"https://shop.example"), (b"host", b"api.shop.example")],
        [(b"origin", b"null"), (b"host", b"shop.example")],
        [(b"x-csrftoken", b"a" * 32)],
    ],
)
def test_a_sites_own_requests(headers):
    assert judge(COOKIE, *headers) is None


def test_origins_that_are_trusted():
    headers = (COOKIE, (b"sec-fetch-site", b"cross-site"), (b"origin", b"https://pay.example"))
    assert judge(*headers, trusted=("https://Pay.example/",)) is None
    assert judge(*headers, trusted=("https://other.example",)) == "cross_site_request"


def test_behind_a_proxy_that_changes_the_host():
    headers = {b"cookie": b"s=1", b"origin": b"https://shop.example", b"host": b"10.0.0.5:8000"}
    assert CrossSite().judge(headers, b"shop.example") is None


def test_tokens():
    assert judge(COOKIE, (b"x-csrftoken", b"b" * 32)) == "csrf_token_mismatch"
    assert judge((b"cookie", b"XSRF-TOKEN=abc%3D"), (b"x-xsrf-token", b"abc=")) is None
    fields = [("title", "x"), ("csrfmiddlewaretoken", "b" * 32)]
    found = CrossSite().judge_form(dict([COOKIE]), fields)
    assert found is not None
    assert found.kind == "csrf_token_mismatch"
    assert "b" * 32 not in found.matched
    assert CrossSite().judge_form({}, fields) is None


def test_djangos_masks():
    from django.middleware import csrf

    secret = csrf._get_new_csrf_string()
    one, two = csrf._mask_cipher_secret(secret), csrf._mask_cipher_secret(secret)
    assert one != two
    assert belong_together(one, two)
    assert belong_together(secret, two)
    assert not belong_together(csrf._mask_cipher_secret(csrf._get_new_csrf_string()), two)


@pytest.mark.parametrize(
    "name", ["sqlmap/1.8#stable (https://sqlmap.org)", "Mozilla/5.0 (Nikto/2.5.0)", "Nuclei - x", "WPScan v3"]
)
def test_scanners(name):
    assert recognise(name)


@pytest.mark.parametrize(
    "name",
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        "curl/8.5.0",
        "python-requests/2.34.2",
        "Googlebot/2.1 (+http://www.google.com/bot.html)",
        "UptimeRobot/2.0",
        "kube-probe/1.31",
        "nuclear-reader/1.0",
        "",
    ],
)
def test_everybody_else(name):
    assert recognise(name) == ""


@pytest.mark.parametrize("origin", [b"http://[", b"http://[::1", b"//]", b"https://\xe2\x84\x80.example"])
def test_an_origin_that_is_no_address_is_none_of_ours(origin):
    headers = {b"cookie": b"session=1", b"origin": origin, b"host": b"shop.example"}
    found = CrossSite().judge(headers)
    assert found is not None
    assert found.event_type == "csrf_attempt"
    assert CrossSite().judge({**headers, b"host": b"[", b"origin": b"https://evil.example"}) is not None


@pytest.mark.parametrize("broken", [b"[::1", b"shop.example]", b"[", b"[x]"])
def test_headers_with_half_a_pair_of_brackets_are_judged(broken):
    assert judge(COOKIE, (b"origin", b"https://evil.example"), (b"host", broken)) == "cross_site_request"
    assert judge(COOKIE, (b"origin", b"https://" + broken), (b"host", b"shop.example")) == "cross_site_request"
