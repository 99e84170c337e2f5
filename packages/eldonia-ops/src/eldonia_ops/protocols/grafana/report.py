"""What an import could not take, or took differently: in words, in both languages."""

from dataclasses import dataclass
from typing import Final, Literal

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "library": (
        "it is a library panel, whose contents are not in the file",
        "ライブラリパネルで、内容がファイルに含まれていません",
    ),
    "type": ("there is no panel of the type {0} here", "{0} 型のパネルはこの製品にありません"),
    "alerts": ("lists of alerts are on the page Alerts", "アラートの一覧は「アラート」のページにあります"),
    "dashboards": (
        "lists of dashboards are on the page Dashboards",
        "ダッシュボードの一覧は「ダッシュボード」のページにあります",
    ),
    "no_queries": ("none of its queries could be taken", "取り込めるクエリがありませんでした"),
    "datasource": (
        "the query is for {0}, which is not stored here",
        "{0} 向けのクエリで、対応するデータがありません",
    ),
    "loki": ("it is LogQL: write it as a search of logs", "LogQL で書かれています。ログの検索式に書き直してください"),
    "expression": (
        "expressions over other queries are not computed: use PromQL",
        "他のクエリに対する式は計算できません。PromQL で書いてください",
    ),
    "other_panel": ("it shows the results of another panel", "他のパネルの結果を表示するクエリです"),
    "no_expr": ("the query has no expression", "クエリに式がありません"),
    "alert_rule": (
        "alert rules of panels are not taken: write a rule file",
        "パネルのアラートルールは取り込みません。ルールファイルに書いてください",
    ),
    "pie": ("pies are shown as bars", "円グラフは棒で表示します"),
    "polystat": ("it is shown as single values", "単一の値として表示します"),
    "histogram_axis": ("histograms over values are shown over time", "値のヒストグラムは時間軸のグラフで表示します"),
    "series_axis": ("it is shown as bars of single values", "単一の値の棒で表示します"),
    "null_as_zero": ("gaps are not drawn as zero", "欠けている値を 0 としては描きません"),
    "affix": ("the text beside the value is in the name now", "値の横の文字は名前に移しました"),
    "html": ("HTML is shown as text", "HTML は文字として表示します"),
    "matcher": ("overrides by {0} are not known here", "{0} による上書きには対応していません"),
    "property": ("the override of {0} is not known here", "{0} の上書きには対応していません"),
    "transformation": ("the transformation {0} is not known here", "変換 {0} には対応していません"),
    "transformation_part": (
        "a part of the transformation {0} is not known here",
        "変換 {0} の一部の設定には対応していません",
    ),
    "mapping": ("a value mapping could not be read", "値のマッピングを読み取れませんでした"),
    "variable_type": ("variables of the type {0} are not known here", "{0} 型の変数には対応していません"),
    "datasource_variable": ("there is one data source here, so it is not needed", "データソースは一つなので不要です"),
    "variable_name": ("its name cannot be used, or is there twice", "名前が使えないか、重複しています"),
    "variable_query": ("the query of the variable could not be read", "変数のクエリを読み取れませんでした"),
    "annotation": ("annotations from {0} are not taken", "{0} の注釈は取り込みません"),
    "duration": ("{0} is not a duration", "{0} は時間の長さとして読めません"),
    "time": ("{0} is not a time that is known here", "{0} は時刻として読めません"),
    "link": ("the link could not be read", "リンクを読み取れませんでした"),
    "thresholds": ("thresholds below a value are shown above it", "「未満」のしきい値は「以上」として表示します"),
    "unreadable": ("{0}", "{0}"),
    "exemplars": ("exemplars are not shown", "エグゼンプラーは表示しません"),
    "after_row": (
        "it followed the collapsed row {0} and belongs to no row: it is in a row of its own, behind it",
        "折りたたまれた行 {0} の後にあり、どの行にも属しません。その後の独立した行に置きました",
    ),
    "not_a_panel": ("it is not a panel", "パネルではありません"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was dropped or changed. ``panel`` is the id of its panel in the new dashboard, or in the file when
    the panel was dropped; 0 for none. ``title`` is the panel's title, ``what`` names the thing."""

    level: Literal["dropped", "changed"]
    what: str
    code: str
    panel: int = 0
    title: str = ""
    detail: str = ""

    def reason(self, language: str = "en") -> str:
        """Why, in words."""
        english, japanese = _WORDS[self.code]
        return (japanese if language == "ja" else english).replace("{0}", self.detail)


class Report:
    """Notes that are gathered; ``panel`` and ``title`` are those of the panel at work."""

    MOST: Final = 2_000

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.panel = 0
        self.title = ""

    def dropped(self, what: str, code: str, detail: str = "") -> None:
        """Note that something was left out."""
        self._add("dropped", what, code, detail)

    def changed(self, what: str, code: str, detail: str = "") -> None:
        """Note that something is shown differently."""
        self._add("changed", what, code, detail)

    def _add(self, level: Literal["dropped", "changed"], what: str, code: str, detail: str) -> None:
        note = Note(level, what[:200], code, self.panel, self.title[:200], detail[:200])
        if len(self.notes) < self.MOST and note not in self.notes[-50:]:
            self.notes.append(note)
