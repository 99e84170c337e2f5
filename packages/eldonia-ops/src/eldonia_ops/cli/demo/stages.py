"""What the demonstration shows, in order, as data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """The state of a stage."""

    WAITING = "waiting"
    RUNNING = "running"
    OBSERVED = "observed"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing that must be seen to happen.

    ``act`` numbers the act it belongs to; ``limit_seconds`` is how long to wait for it.
    """

    key: str
    act: int
    en: str
    ja: str
    limit_seconds: float = 30.0

    def title(self, language: str) -> str:
        """The stage in the reader's language."""
        return self.ja if language == "ja" else self.en


ACTS: Final[dict[int, tuple[str, str]]] = {
    0: ("Everything starts", "起動"),
    1: ("The shop crashes: recovery brings it back", "第一幕 ショップが停止し、自動復旧が立て直す"),
    2: ("The payment gateway fails: people must act", "第二幕 決済ゲートウェイの障害、人の対応が必要になる"),
    3: ("An attack on the login: the security team is paged", "第三幕 ログインへの攻撃、セキュリティチームを呼び出す"),
}

STAGES: Final[tuple[Stage, ...]] = (
    Stage("platform", 0, "the platform answers on its port", "プラットフォームが応答", 40),
    Stage(
        "shop",
        0,
        "the platform has started the shop, and it is healthy",
        "プラットフォームがショップを起動し、正常",
        30,
    ),
    Stage("metrics", 0, "metrics are scraped: requests are counted", "メトリクスを収集：リクエストを計数", 20),
    Stage("logs", 0, "logs are tailed from the shop's file", "ショップのログファイルを追尾", 20),
    Stage("traces", 0, "traces arrive over OTLP", "OTLP でトレースを受信", 20),
    Stage("crash", 1, "fault: the shop's process dies", "障害注入：ショップのプロセスが停止"),
    Stage("crash-detected", 1, "detected: ServiceDown fires", "検知：ServiceDown が発報"),
    Stage("crash-incident", 1, "an incident opens by itself", "インシデントを自動起票"),
    Stage(
        "crash-paged", 1, "paged: PagerDuty's format arrives at the receiver", "呼び出し：PagerDuty 形式で受信側に到達"
    ),
    Stage(
        "crash-restarted", 1, "recovery restarts the shop and verifies its health", "自動復旧：再起動し正常性を確認", 40
    ),
    Stage("crash-resolved", 1, "the incident is resolved, with its timeline", "インシデント解決、経過を記録", 40),
    Stage("gateway", 2, "fault: the payment gateway answers with errors", "障害注入：決済ゲートウェイがエラーを返す"),
    Stage("gateway-detected", 2, "detected: an alert about payments fires", "検知：決済のアラートが発報", 45),
    Stage(
        "gateway-incident",
        2,
        "a critical incident with runbook and response target",
        "重大インシデント（手順書・応答期限つき）",
    ),
    Stage("gateway-paged", 2, "paged: PagerDuty and Slack received it", "呼び出し：PagerDuty と Slack に到達"),
    Stage(
        "gateway-escalated",
        2,
        "no response in time: escalated to infrastructure",
        "応答なし：インフラチームへエスカレーション",
        40,
    ),
    Stage(
        "gateway-acknowledged",
        2,
        "a person acknowledges and walks the checklist",
        "担当者が対応開始、チェックリストを実施",
    ),
    Stage(
        "gateway-repaired",
        2,
        "the gateway is repaired; the alert ends, the incident follows",
        "ゲートウェイ修復：アラート解消、インシデント解決",
        60,
    ),
    Stage("gateway-notified", 2, "the receivers hear that it is over", "解消の通知が到達", 30),
    Stage(
        "gateway-postmortem",
        2,
        "a postmortem draft in which every statement names its evidence",
        "根拠つきのポストモーテム草案を生成",
    ),
    Stage(
        "attack", 3, "fault: failed logins and injection attempts", "攻撃：ログイン失敗の連続とインジェクションの試み"
    ),
    Stage(
        "attack-found",
        3,
        "findings per type and source, one alert a window",
        "種類と発生元ごとに検出、時間窓ごとにアラート一件",
        60,
    ),
    Stage("attack-paged", 3, "the security team's channel received it", "セキュリティチームのチャンネルに到達"),
    Stage("attack-judged", 3, "a person investigates and settles the finding", "担当者が調査し、検出を処理"),
)

KILL_STAGE: Final = Stage(
    "killed",
    2,
    "kill -9 of the platform before any page left, and a restart",
    "通知前にプラットフォームを kill -9、再起動",
    40,
)


def stages(*, kill: bool) -> tuple[Stage, ...]:
    """The stages of one run; ``kill`` adds the murder of the platform between detection and page."""
    if not kill:
        return STAGES
    index = next(position for position, stage in enumerate(STAGES) if stage.key == "gateway-detected")
    return (*STAGES[: index + 1], KILL_STAGE, *STAGES[index + 1 :])
