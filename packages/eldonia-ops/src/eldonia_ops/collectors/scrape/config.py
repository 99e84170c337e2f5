"""The section ``scrape`` of the settings."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from eldonia_ops.collectors.scrape.relabel_config import Parameters, RelabelRules, TargetGroup, TargetGroups
from eldonia_ops.model.errors import Level
from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.relabelling import RelabelRule
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.containers import Items, LabelSet, Texts
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.http_requests import HttpSettings, check_http
from eldonia_ops.settings.kinds import Choice, Flag, Period
from eldonia_ops.settings.objects import Inline
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import SecretText, Text, UrlPath
from eldonia_ops.settings.units import SECOND

_TARGET: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_NO_SECRET: Final = Secret("")
_PLAIN: Final = HttpSettings()


@dataclass(frozen=True, slots=True)
class Targets(Texts):
    """Addresses to scrape, each once."""

    what: str = "list of `host:port`"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The addresses."""
        targets = reader.strings(key, default, required=required)
        for target in targets:
            match = _TARGET.fullmatch(target)
            if match is None or not 0 < int(match[2]) < 65_536:
                reader.fault(key, f"{target!r} is not a target", "write host:port, without http:// or a path")
        for target in sorted({target for target in targets if targets.count(target) > 1}):
            reader.fault(key, f"the target {target!r} occurs twice", "its samples would be stored twice")
        return targets

    def schema(self) -> dict[str, Any]:
        """A text or an array of them."""
        one = {"type": "string", "pattern": rf"^{_TARGET.pattern}$|\$\{{"}
        return {"anyOf": [one, {"type": "array", "items": one, "uniqueItems": True}, {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class ScrapeJob:
    """Targets whose metrics are fetched over HTTP."""

    job: Annotated[str, Setting(Text(), "The label `job` of every series.")]
    targets: Annotated[
        tuple[str, ...], Setting(Targets(), "The addresses to fetch from; here or in `static_configs`.")
    ] = ()
    path: Annotated[str, Setting(UrlPath(), "Where the metrics are.")] = "/metrics"
    scheme: Annotated[str, Setting(Choice(("http", "https")))] = "http"
    interval: Annotated[int, Setting(Period(), "Time from one scrape to the next.")] = 15 * SECOND
    timeout: Annotated[
        int,
        Setting(
            Period(at_most="interval", because="the next scrape would wait for this one"),
            "The longest time of a scrape.",
        ),
    ] = 10 * SECOND
    labels: Annotated[
        Labels, Setting(LabelSet(), "Put on every series; an exposed label of the same name becomes `exported_…`.")
    ] = EMPTY
    bearer_token: Annotated[Secret, Setting(SecretText(), "Sent with every scrape.")] = _NO_SECRET
    username: Annotated[
        str,
        Setting(
            Text(),
            "For HTTP's basic authentication.",
            under="basic_auth",
            required=True,
            applies=lambda job: job.username,
        ),
    ] = ""
    password: Annotated[
        Secret, Setting(SecretText(), "Belongs to `username`.", under="basic_auth", applies=lambda job: job.username)
    ] = _NO_SECRET
    honor_labels: Annotated[
        bool, Setting(Flag(), "Whether an exposed label wins over the target's own of the same name.")
    ] = False
    honor_timestamps: Annotated[bool, Setting(Flag(), "Whether samples keep the times that they come with.")] = True
    static_configs: Annotated[
        tuple[TargetGroup, ...], Setting(TargetGroups(), "Addresses with labels of their own, as Prometheus has them.")
    ] = ()
    params: Annotated[tuple[tuple[str, str], ...], Setting(Parameters(), "Sent with every scrape, in the URL.")] = ()
    relabel_configs: Annotated[
        tuple[RelabelRule, ...],
        Setting(RelabelRules(), "Change targets before they are scraped, or drop them."),
    ] = ()
    metric_relabel_configs: Annotated[
        tuple[RelabelRule, ...],
        Setting(RelabelRules(), "Change series before they are stored, or drop them."),
    ] = ()
    http: Annotated[HttpSettings, Setting(Inline(HttpSettings))] = _PLAIN


def check_scrape(reader: SettingsReader, job: ScrapeJob) -> None:
    """Note two kinds of credentials, what of `http` contradicts itself, and the name of this machine's own readings."""
    if job.username and job.bearer_token:
        reader.fault("basic_auth", "basic_auth and bearer_token are both given", "keep one of them")
    if job.http.token_url and (job.username or job.bearer_token):
        reader.fault("oauth2", "oauth2 is given beside basic_auth or bearer_token", "keep one of them")
    if job.http.credentials and (job.username or job.bearer_token):
        reader.fault("authorization", "authorization is given beside basic_auth or bearer_token", "keep one of them")
    check_http(reader, job.http)
    _check_targets(reader, job)
    if job.job == "node" and _reads_this_machine(reader):
        hint = "give the job another name, or write host: {enabled: false}"
        message = "the job node is also that of this machine's own readings, which run beside it"
        reader.problems.add(reader.get("job"), message, hint, Level.WARNING)


def _check_targets(reader: SettingsReader, job: ScrapeJob) -> None:
    from eldonia_ops.collectors.scrape.targets import TargetError, targets_of

    if not job.targets and not job.static_configs and not reader.has("targets"):
        reader.problems.add(reader.node, f"{reader.what} needs targets")
    if reader.problems.errors:
        return  # what is wrong before need not be said again of what follows from it
    try:
        list(targets_of(job))
    except TargetError as error:
        key = "relabel_configs" if job.relabel_configs else "static_configs"
        reader.fault(key, f"relabelling: {error}" if job.relabel_configs else str(error), "write host:port")


def _reads_this_machine(reader: SettingsReader) -> bool:
    """Whether the collector ``host`` runs: it does unless its section, which was read before, switches it off."""
    host = reader.around.read["collectors"].get("host")
    return host is None or host.enabled


SECTION: Final = Setting(
    Items(ScrapeJob, "job", "scrape jobs", check_scrape, one_of=("targets", "static_configs")),
    "Metrics that are fetched over HTTP.",
)
