"""The entries of an incident's timeline, and their texts in English and Japanese.

An entry stores its kind and its facts, never a sentence, so that one timeline serves readers of
either language and a postmortem can cite facts. The sentences are templates:

* ``{field}`` is a fact from ``entry.data``; ``{field:time}`` an instant (Unix ms), ``{field:span}`` a
  duration (ms), ``{field:word}`` a severity or status in the reader's language, ``{field:number}`` a float;
* ``{field|event|events}`` is the word for one or for any other number of them;
* ``[...]`` is left out when a fact inside it is missing, empty or zero.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Any, Final

from eldonia_ops.incidents.signal import says_down
from eldonia_ops.model.durations import format_duration
from eldonia_ops.model.incidents import TimelineEntry
from eldonia_ops.model.plurals import chosen


class Category(StrEnum):
    """Which icon and filter an entry belongs to."""

    ALERT = "alert"
    NOTIFY = "notify"
    RECOVERY = "recovery"
    HUMAN = "human"
    SYSTEM = "system"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entry: its category and its sentence in each language."""

    category: Category
    en: str
    ja: str


KINDS: Final[Mapping[str, Kind]] = {
    "alert.pending": Kind(
        Category.ALERT,
        "The condition of {alertname} was first met[, with the value {value:number}]",
        "{alertname} の条件が最初に成立[（値 {value:number}）]",
    ),
    "alert.firing": Kind(
        Category.ALERT,
        "Alert {alertname} fired[ with severity {severity:word}][, value {value:number}]"
        "[ against a threshold of {threshold:number}][: {summary}]",
        "アラート {alertname} が発報[（深刻度 {severity:word}）][、値 {value:number}]"
        "[、しきい値 {threshold:number}][：{summary}]",
    ),
    "alert.resolved": Kind(
        Category.ALERT,
        "Alert {alertname} resolved[ after {lasted:span}]",
        "アラート {alertname} が解消[（継続時間 {lasted:span}）]",
    ),
    "notification.queued": Kind(
        Category.NOTIFY,
        "A notification to {receiver}[ through {integration}] was queued[ ({purpose:word})]",
        "{receiver} への通知を送信待ちに登録[（{integration}）][：{purpose:word}]",
    ),
    "notification.delivered": Kind(
        Category.NOTIFY,
        "{receiver} was notified[ through {integration}][ ({purpose:word})][, at attempt {attempt}]",
        "{receiver} へ通知が到達[（{integration}）][：{purpose:word}][、{attempt} 回目の送信]",
    ),
    "notification.retry": Kind(
        Category.NOTIFY,
        "The notification to {receiver}[ through {integration}] did not get through[ at attempt {attempt}]"
        "[: {detail}][; next attempt at {next_attempt_at:time}]",
        "{receiver} への通知が届かず再送予定[（{integration}）][、{attempt} 回目]"
        "[：{detail}][、次回 {next_attempt_at:time}]",
    ),
    "notification.failed": Kind(
        Category.NOTIFY,
        "The notification to {receiver}[ through {integration}] failed for good"
        "[ after {attempt} {attempt|attempt|attempts}][: {detail}]",
        "{receiver} への通知は最終的に失敗[（{integration}）][、{attempt} 回試行][：{detail}]",
    ),
    "recovery.detected": Kind(
        Category.RECOVERY,
        "{service} was found down after {failures} failed health {failures|check|checks} in a row[: {detail}]",
        "{service} の停止を検知（ヘルスチェックが {failures} 回連続で失敗）[：{detail}]",
    ),
    "recovery.attempt": Kind(
        Category.RECOVERY,
        "Automatic restart of {service}, attempt {attempt} of {max_attempts}",
        "{service} の自動再起動を開始（{max_attempts} 回中 {attempt} 回目）",
    ),
    "recovery.restarted": Kind(
        Category.RECOVERY,
        "{service} was restarted by attempt {attempt}; its health is being verified[: {detail}]",
        "{service} を再起動（{attempt} 回目）、正常性を確認中[：{detail}]",
    ),
    "recovery.unverified": Kind(
        Category.RECOVERY,
        "Attempt {attempt} did not bring {service} back[: {detail}]",
        "{attempt} 回目の再起動では {service} が復旧せず[：{detail}]",
    ),
    "recovery.interrupted": Kind(
        Category.RECOVERY,
        "The outcome of attempt {attempt} for {service} is unknown; its health is verified before anything else",
        "{service} の {attempt} 回目の再起動は結果不明、まず正常性を確認",
    ),
    "recovery.verified": Kind(
        Category.RECOVERY,
        "{service} is healthy again, confirmed by {successes} health {successes|check|checks}"
        "[ after {attempt} {attempt|restart|restarts}][; down for {down_for:span}]",
        "{service} の復旧を確認（ヘルスチェック {successes} 回成功）"
        "[、再起動 {attempt} 回][、停止時間 {down_for:span}]",
    ),
    "recovery.failed": Kind(
        Category.RECOVERY,
        "Automatic recovery of {service} gave up after {attempt} of {max_attempts} "
        "{max_attempts|restart|restarts}[: {detail}]",
        "{service} の自動復旧を断念（{max_attempts} 回中 {attempt} 回再起動）[：{detail}]",
    ),
    "recovery.maintenance": Kind(
        Category.RECOVERY,
        "Maintenance of {service} was switched {switch:word}",
        "{service} のメンテナンスモードを{switch:word}",
    ),
    "recovery.reset": Kind(
        Category.RECOVERY,
        "The restart budget of {service} was reset by hand",
        "{service} の再起動回数を手動でリセット",
    ),
    "human.acknowledged": Kind(
        Category.HUMAN,
        "{actor} acknowledged the incident[, {after:span} after detection]",
        "{actor} が対応開始を表明[（検知から {after:span}）]",
    ),
    "human.note": Kind(Category.HUMAN, "{actor} noted: {text}", "{actor} のメモ：{text}"),
    "human.status": Kind(
        Category.HUMAN,
        "{actor} changed the status from {from:word} to {to:word}[: {note}]",
        "{actor} が状態を「{from:word}」から「{to:word}」へ変更[：{note}]",
    ),
    "human.checklist": Kind(
        Category.HUMAN,
        '{actor} marked the step "{step}" as {state:word}',
        "{actor} が手順「{step}」を{state:word}に変更",
    ),
    "human.assigned": Kind(
        Category.HUMAN,
        "{actor} assigned the incident to {to}",
        "{actor} が担当者を {to} に設定",
    ),
    "human.fields": Kind(
        Category.HUMAN,
        "{actor} filled in {names}",
        "{actor} が {names} を記入",
    ),
    "escalation.opened": Kind(
        Category.HUMAN,
        "{actor} opened the incident, so {tier} is notified at once[ (receiver {receiver})]",
        "{actor} による起票のため、直ちに {tier} へ通知[（通知先 {receiver}）]",
    ),
    "escalation.tier": Kind(
        Category.SYSTEM,
        "Without a response, the incident was escalated to {tier}[ (receiver {receiver})][; due at {due_at:time}]",
        "応答がないため {tier} へエスカレーション[（通知先 {receiver}）][、期限 {due_at:time}]",
    ),
    "escalation.tier.unreached": Kind(
        Category.SYSTEM,
        "No message to {missed} got through, so the incident was escalated to {tier} at once[ (receiver {receiver})]",
        "{missed} へのメッセージが届かないため、直ちに {tier} へエスカレーション[（通知先 {receiver}）]",
    ),
    "escalation.quiet": Kind(
        Category.SYSTEM,
        "No further tier was notified, because every alert is {why:word}[ until {until:time}]; "
        "the time to respond starts when they no longer are",
        "すべてのアラートが{why:word}のため、これ以上は通知せず[（{until:time} まで）]。応答の時間は解除後に数え直し",
    ),
    "escalation.recovered": Kind(
        Category.SYSTEM,
        "No further tier was notified yet: the condition of every alert had ended by {ended_at:time}, "
        "and they count as firing until {until:time} to see whether that lasts",
        "すべてのアラートの条件が {ended_at:time} までに解消したため、エスカレーションを保留"
        "（再発しないことを {until:time} まで確認）",
    ),
    "escalation.requested": Kind(
        Category.HUMAN,
        "{actor} asked for {tier}[ (receiver {receiver})][: {note}]",
        "{actor} が {tier} へのエスカレーションを要請[（通知先 {receiver}）][：{note}]",
    ),
    "incident.opened": Kind(
        Category.SYSTEM,
        "Incident opened with severity {severity:word}[ for {service}][; response is due by {respond_by:time}]",
        "インシデントを起票（深刻度 {severity:word}）[、対象 {service}][、応答期限 {respond_by:time}]",
    ),
    "incident.merged": Kind(
        Category.SYSTEM,
        "Alert {alertname} joined this incident because it concerns the same {shared:word}",
        "アラート {alertname} を、同じ{shared:word}に関するものとして統合",
    ),
    "incident.grown": Kind(
        Category.SYSTEM,
        "{alerts} alerts have joined this incident; the timeline names the first {detailed}, the alert ledger all",
        "このインシデントに統合されたアラートは {alerts} 件（ここに記録するのは最初の {detailed} 件、"
        "全件の経緯は通知判断の記録を参照）",
    ),
    "incident.shrunk": Kind(
        Category.SYSTEM,
        "{firing} of {alerts} alerts still fire",
        "{alerts} 件のうち {firing} 件が継続中",
    ),
    "incident.severity": Kind(
        Category.SYSTEM,
        "Severity changed from {from:word} to {to:word}[ because of {alertname}]"
        "[; response is due by {respond_by:time}]",
        "深刻度を「{from:word}」から「{to:word}」へ変更[（{alertname}）][、応答期限 {respond_by:time}]",
    ),
    "incident.resolved": Kind(
        Category.SYSTEM,
        "Resolved: every attached alert has ended[, {after:span} after detection]",
        "解決：関連する全アラートが解消[（検知から {after:span}）]",
    ),
    "incident.reopened": Kind(
        Category.SYSTEM,
        "Reopened because {alertname} fired again[ {after:span} after it was resolved]"
        "[; response is due by {respond_by:time}]",
        "{alertname} の再発により再開[（解決から {after:span}）][、応答期限 {respond_by:time}]",
    ),
    "security.finding": Kind(
        Category.SECURITY,
        "{count} {count|event|events} of type {type} from {source} within {window:span}"
        " reached the threshold of {threshold}[: {pattern:word}]",
        "{source} からの {type} が {window:span} 以内に {count} 件となり、"
        "しきい値 {threshold} に到達[：{pattern:word}]",
    ),
    "security.quiet": Kind(
        Category.SECURITY,
        "No further event of type {type} from {source}[ for {quiet:span}]",
        "{source} からの {type} は[ {quiet:span} の間]新たに発生せず",
    ),
    "security.judged": Kind(
        Category.SECURITY,
        "{actor} judged the finding {type} from {source} as {status:word}[: {note}]",
        "{actor} が {source} からの {type} を「{status:word}」と判定[：{note}]",
    ),
}

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "ja": {
        "critical": "重大",
        "high": "高",
        "medium": "中",
        "warning": "警告",
        "low": "低",
        "info": "情報",
        "open": "未対応",
        "investigating": "調査中",
        "escalated": "エスカレーション中",
        "resolved": "解決済み",
        "closed": "完了",
        "false_positive": "誤検知",
        "done": "完了",
        "undone": "未完了",
        "silenced": "サイレンス中",
        "inhibited": "抑制中",
        "muted": "ミュート時間帯",
        "mixed": "通知を抑えられている状態",
        "service": "サービス",
        "source": "発生元",
        "outage": "大規模障害",
        "on": "有効化",
        "off": "解除",
        "alert": "アラート",
        "escalation": "エスカレーション",
        "status": "状況報告",
        "personal": "本人宛て",
        "credential_stuffing": "パスワードリスト攻撃の疑い",
        "password_guessing": "パスワード総当たり",
        "distributed_guessing": "分散型パスワード総当たり",
    },
    "en": {
        "undone": "not done",
        "mixed": "silenced, inhibited or muted",
        "false_positive": "a false positive",
        "alert": "alert",
        "personal": "to this person",
        "credential_stuffing": "many accounts tried from one address",
        "password_guessing": "many passwords tried from one address",
        "distributed_guessing": "one account tried from many addresses",
    },
}
"""Words for the ``:word`` facts; what is missing is shown as it is stored."""

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_COUNTED = re.compile(r"\{(\w+)\|([^|{}]*)\|([^|{}]*)\}")
_FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}")


def category(kind: str) -> Category:
    """The category of a kind; unknown kinds (from a newer version) count as ``system``."""
    known = KINDS.get(kind)
    return known.category if known else Category.SYSTEM


def word(text: str, language: str) -> str:
    """A severity, status or other stored keyword in the reader's language."""
    return WORDS.get(language, WORDS["en"]).get(text, text)


def format_time(at: int, zone: tzinfo = UTC) -> str:
    """An instant (Unix ms) as ``2026-11-23 20:48:05 UTC``."""
    return datetime.fromtimestamp(at / 1000, zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def format_span(ms: int, language: str = "en") -> str:
    """A duration (ms) for people, to the second: ``1h 3m 5s`` or ``1時間3分5秒``; below a second in ms."""
    if ms < 1000:
        return f"{max(ms, 0)}ms" if language != "ja" else f"{max(ms, 0)}ミリ秒"
    text = format_duration(ms - ms % 1000)
    parts = re.findall(r"(\d{1,20})(y|w|d|h|m|s)", text)
    if language == "ja":
        units = {"y": "年", "w": "週間", "d": "日", "h": "時間", "m": "分", "s": "秒"}
        return "".join(f"{count}{units[unit]}" for count, unit in parts)
    return " ".join(f"{count}{unit}" for count, unit in parts)


def describe(entry: TimelineEntry, language: str = "en", zone: tzinfo = UTC) -> str:
    """The sentence of an entry in ``en`` or ``ja`` (anything else reads as English).

    The text is plain: callers escape it for HTML or Markdown. A kind that this version does not
    know is shown by its name, so that nothing on a timeline is ever hidden.
    """
    kind = KINDS.get(entry.kind)
    if kind is None:
        return entry.kind
    facts = {"actor": entry.actor, **entry.data}
    if facts.get("attempt") == 1 and entry.kind == "notification.delivered":
        del facts["attempt"]  # only a message that was tried again is worth a word
    facts["receiver"] = facts.get("receiver") or facts.get("default_receiver")
    if entry.kind in ("alert.pending", "alert.firing") and says_down(str(facts.get("expression", ""))):
        facts.pop("value", None)  # "the value 0" says nothing to a reader of "is down"
        facts.pop("threshold", None)
    template = kind.ja if language == "ja" else kind.en

    def optional(match: re.Match[str]) -> str:
        inner = match.group(1)
        return inner if all(_present(facts.get(name)) for name, _ in _FIELD.findall(inner)) else ""

    def fact(match: re.Match[str]) -> str:
        return _render(facts.get(match.group(1)), match.group(2) or "", language, zone)

    def counted(match: re.Match[str]) -> str:
        return chosen(facts.get(match.group(1)), match.group(2), match.group(3))

    return _FIELD.sub(fact, _COUNTED.sub(counted, _OPTIONAL.sub(optional, template)))


def _present(value: Any) -> bool:
    # 0.0 is a value worth showing (an error rate of nothing); 0 means 'not known' in instants and counts.
    return value is not None and value != "" and not (type(value) is int and value == 0)


def _render(value: Any, style: str, language: str, zone: tzinfo) -> str:
    if value is None:
        return "?"
    if style == "time" and isinstance(value, int):
        return format_time(value, zone)
    if style == "span" and isinstance(value, int):
        return format_span(value, language)
    if style == "word":
        return word(str(value), language)
    if style == "number" and isinstance(value, (int, float)):
        return f"{value:.4g}" if abs(value) < 1_000_000 else f"{value:,.0f}"
    return str(value)


def condensed(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """The entries with one for each message: the last that says what became of it, however often it was tried."""
    last: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if entry.kind.startswith("notification.") and (message := _message(entry)):
            last[message] = index
    return [
        entry
        for index, entry in enumerate(entries)
        if not entry.kind.startswith("notification.") or last.get(_message(entry), index) == index
    ]


def _message(entry: TimelineEntry) -> str:
    """The key of the message that an entry about a notification is about."""
    return entry.key.partition(":")[2].partition(":")[0]
