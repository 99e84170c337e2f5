from eldonia_telemetry import dropped_data
from eldonia_telemetry.settings import resolve


def test_arguments_win_over_environment_over_defaults():
    environ = {"ELDONIA_SERVICE": "from-env", "ELDONIA_LOG_DIR": "/logs", "ELDONIA_TRACE_RATIO": "0.25"}
    settings = resolve({"service": "given", "log_dir": None}, environ)
    assert (settings.service, settings.log_dir, settings.trace_ratio) == ("given", "/logs", 0.25)
    assert settings.log_max_bytes == 5 * 1024 * 1024
    assert settings.log_max_files == 5


def test_nonsense_is_said_once_and_the_default_applies(capsys):
    environ = {"ELDONIA_TRACE_RATIO": "7", "ELDONIA_LOG_LEVEL": "loud", "ELDONIA_CONSOLE": "perhaps"}
    settings = resolve({"log_max_bytes": "many"}, environ)
    assert (settings.trace_ratio, settings.level, settings.console, settings.log_max_bytes) == (1.0, 20, None, 5 << 20)
    resolve({"log_max_bytes": "many"}, environ)
    said = capsys.readouterr().err
    assert said.count("trace_ratio is not usable") == 1
    assert "log_level is not one of" in said
    assert dropped_data.snapshot()["setup", "trace_ratio is not usable, the default applies"] >= 2


def test_flags_and_levels_from_the_environment():
    settings = resolve({}, {"ELDONIA_REDACT": "off", "ELDONIA_CONSOLE": "1", "ELDONIA_LOG_LEVEL": "WARN"})
    assert (settings.redact, settings.console, settings.level) == (False, True, 30)


def test_the_token_is_not_shown():
    assert "s3cret" not in repr(resolve({"ingest_token": "s3cret"}, {}))
    shown = repr(resolve({"otlp_endpoint": "https://me:s3c@ret@host/otlp"}, {}))
    assert "otlp_endpoint='https://host/otlp'" in shown


def test_periods_and_names():
    assert [resolve({"log_rotate_every": value}, {}).log_rotate_every for value in ("day", "HOUR", 90, "90", "")] == [
        *(86400, 3600, 90, 90, 0)
    ]
    assert resolve({"log_rotate_every": "fortnight"}, {}).log_rotate_every == 0
    assert resolve({}, {"ELDONIA_REDACT_FIELDS": "nickname, birthday,"}).redact_fields == ("nickname", "birthday")
    assert resolve({"redact_fields": ["nickname"]}, {}).redact_fields == ("nickname",)
    assert resolve({}, {}).otlp_logs is None
    assert resolve({}, {"ELDONIA_OTLP_METRICS": "yes"}).otlp_metrics is True
    shown = repr(resolve({"elasticsearch_password": "s3cret", "elasticsearch_url": "http://u:s3cret@h"}, {}))
    assert "s3cret" not in shown


def test_headers_as_a_mapping_and_as_opentelemetry_writes_them(capsys):
    given = {"otlp_headers": {"X-Api-Key": "s3cret", "x-scope": "eldonia"}}
    settings = resolve(given, {"ELDONIA_OTLP_HEADERS": "ignored=1"})
    assert settings.otlp_headers == (("x-api-key", "s3cret"), ("x-scope", "eldonia"))
    assert "s3cret" not in repr(settings)
    environ = {"ELDONIA_OTLP_HEADERS": "authorization=Basic%20dTpw, x-key = a=b ,"}
    assert resolve({}, environ).otlp_headers == (("authorization", "Basic dTpw"), ("x-key", "a=b"))
    assert resolve({}, {}).otlp_headers == ()
    assert capsys.readouterr().err == ""


def test_headers_that_cannot_be_sent_are_left_out_and_not_shown(capsys):
    bad = {"Content-Type": "text/plain", "a b": "1", "": "2", "x-line": "s3cret\r\nx: y", "x-none": "", "x-ok": "3"}
    assert resolve({"otlp_headers": bad}, {}).otlp_headers == (("x-ok", "3"),)
    assert resolve({"otlp_headers": 7}, {}).otlp_headers == ()
    said = capsys.readouterr().err
    assert "otlp_headers: 'content-type' cannot be set" in said
    assert "otlp_headers: the value of 'x-line' cannot be sent" in said
    assert "s3cret" not in said
