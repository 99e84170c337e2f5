from eldonia_ops.http_client.credentials import shorten


def test_a_missing_secret_hides_nothing() -> None:
    assert shorten("the server offers no STARTTLS", "") == "the server offers no STARTTLS"


def test_a_secret_address_and_its_path_are_hidden() -> None:
    address = "https://hooks.example/services/T0/B0/abcdefghijklmnop"
    assert "abcdefghijklmnop" not in shorten(f"no such hook: {address}", address)
    assert "abcdefghijklmnop" not in shorten("no such path: /services/T0/B0/abcdefghijklmnop", address)
