from eldonia_ops.collectors.urls import default_instance, shown_url


def test_the_instance_of_a_url():
    assert default_instance("https://example.org/metrics") == "example.org:443"
    assert default_instance("http://[::1]:9100/metrics") == "[::1]:9100"


def test_a_url_is_shown_without_its_password():
    assert shown_url("http://user:pw@h:1/x?y=1") == "http://h:1/x?y=1"


def test_a_url_is_shown_without_secret_parameters():
    shown = shown_url("https://u:p@h/metrics?format=prometheus&key=hunter2&access_token=hunter3&sort_key=name")
    assert shown == "https://h/metrics?format=prometheus&key=<secret>&access_token=<secret>&sort_key=name"
