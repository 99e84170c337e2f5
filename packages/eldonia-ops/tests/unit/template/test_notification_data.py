import pytest

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.template import NotificationData, TemplateError, TemplateSet

NOW = 1_767_323_045_000  # 2026-01-02 03:04:05 UTC


@pytest.fixture
def data():
    firing = Alert(
        Labels({"alertname": "Down", "service": "pay", "a": "1", "instance": "x"}),
        Labels({"summary": "it is down", "own": "1"}),
        starts_at=NOW - 90_500,
        ends_at=NOW + 1,
        generator_url="http://g",
    )
    ended = Alert(
        Labels({"alertname": "Down", "service": "pay", "instance": "y"}),
        Labels({"summary": "it is down"}),
        starts_at=NOW - 60_000,
        ends_at=NOW - 1_000,
    )
    return NotificationData(
        receiver="team", group_labels={"alertname": "Down", "service": "pay"}, alerts=[firing, ended], now=NOW,
        external_url="http://ops/",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ .Status | toUpper }} {{ .Receiver }} {{ .ExternalURL }}", "FIRING team http://ops"),
        ("{{ .Alerts.Firing | len }}/{{ len .Alerts }}/{{ .Alerts.Resolved | len }}", "1/2/1"),
        ('{{ .GroupLabels.SortedPairs.Values | join " " }}', "Down pay"),
        ('{{ .CommonLabels.Names | join "," }}', "alertname,service"),
        ('{{ (index .Alerts 0).Labels.SortedPairs.Names | join "," }}', "alertname,a,instance,service"),
        ('{{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join " " }}{{ end }}', ""),
        ('{{ with .CommonLabels.Remove (stringSlice "alertname") }}{{ .Values | join " " }}{{ end }}', "pay"),
        ("{{ .CommonAnnotations.summary }}|{{ .CommonAnnotations.own }}", "it is down|"),
        ("{{ .GroupLabels }}", "alertname=Down, service=pay"),
        ("{{ range .GroupLabels }}{{ . }},{{ end }}", "Down,pay,"),
        ('{{ (index .Alerts 1).EndsAt.Format "15:04:05.000" }}', "03:04:04.000"),
        ("{{ (index .Alerts 0).EndsAt.IsZero }}", "true"),
        ('{{ (index .Alerts 0).StartsAt | date "Mon, 02 Jan 2006 15:04:05 MST" }}', "Fri, 02 Jan 2026 03:02:34 UTC"),
        ('{{ (index .Alerts 0).StartsAt | tz "Asia/Tokyo" | date "02T15:04:05Z07:00" }}', "02T12:02:34+09:00"),
        ("{{ since (index .Alerts 0).StartsAt }}", "1m30.5s"),
        ("{{ (index .Alerts 1).StartsAt }}", "2026-01-02 03:03:05 +0000 UTC"),
        ("{{ ((index .Alerts 1).EndsAt.Sub (index .Alerts 1).StartsAt).Minutes }}", "0.9833333333333333"),
        ("{{ .CommonLabels | toJson }}", '{"alertname":"Down","service":"pay"}'),
        ('{{ reReplaceAll "D(.)w" "<$1>" .GroupLabels.alertname }}', "<o>n"),
        ('{{ list 1 "a" | toJson }} {{ "a%20b" | urlUnescape }} {{ "  x " | trimSpace }}', '[1,"a"] a b x'),
        ('{{ if eq .GroupLabels.severity "critical" }}critical{{ else }}warning{{ end }}', "warning"),
    ],
)  # fmt: skip
def test_alertmanager_names(data, text, expected):
    assert TemplateSet().expand(text, data, NOW) == expected


def test_unknown_field_names_the_nearest(data):
    with pytest.raises(TemplateError, match="did you mean 'CommonLabels'"):
        TemplateSet().expand("{{ .CommonLabel.x }}", data)
