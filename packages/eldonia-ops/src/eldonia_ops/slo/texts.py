"""The texts of alerts about error budgets, by language; placeholders are filled in for each objective."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "summary": "{service} misses its objective {objective}",
        "critical": (
            "{bad} of the events of {service} were bad of late. {target} % over {window} are to be good: "
            "if this goes on, the error budget is used up within days or hours."
        ),
        "warning": (
            "{bad} of the events of {service} were bad over the last days. {target} % over {window} are to be good: "
            "if this goes on, the error budget will not last."
        ),
    },
    "ja": {
        "summary": "{service} が目標 {objective} を満たしていません",
        "critical": (
            "{service} では直近のイベントの {bad} が不良です。目標は {window} で {target} % 以上です。"
            "このまま続くと、エラーバジェットは数時間から数日で尽きます。"
        ),
        "warning": (
            "{service} ではこの数日のイベントの {bad} が不良です。目標は {window} で {target} % 以上です。"
            "このまま続くと、期間が終わる前にエラーバジェットが尽きます。"
        ),
    },
}
