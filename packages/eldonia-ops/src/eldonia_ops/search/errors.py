"""What can be wrong with the text of a search, in the languages of the pages."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from eldonia_ops.search.pipes.faults import PIPE_FAULTS


@dataclass(frozen=True, slots=True)
class _Texts:
    """One fault: what is wrong, and what to do about it; ``{name}`` is filled in."""

    en: str
    ja: str
    en_hint: str = ""
    ja_hint: str = ""


_QUOTE_IT: Final = 'to search for the text itself, put it in quotes: "{text}"'
_QUOTE_IT_JA: Final = '文字そのものを探すには引用符で囲みます: "{text}"'

_FAULTS: Final = MappingProxyType(
    {
        "too_long": _Texts(
            "the search is longer than {limit} characters",
            "検索の文が{limit}文字を超えています",
        ),
        "too_many_terms": _Texts(
            "the search has more than {limit} terms",
            "検索の語が{limit}個を超えています",
        ),
        "too_deep": _Texts(
            "parentheses and negations are nested deeper than {limit}",
            "括弧や否定の入れ子が{limit}段を超えています",
        ),
        "quote_open": _Texts(
            "the quote is not closed",
            "引用符が閉じられていません",
            "expected {text} at the end of the phrase",
            "語句の終わりに {text} が必要です",
        ),
        "group_open": _Texts(
            "the parenthesis is not closed",
            "括弧が閉じられていません",
            "expected ) at the end of the group",
            "グループの終わりに ) が必要です",
        ),
        "group_extra": _Texts(
            "the closing parenthesis has no opening one",
            "閉じ括弧に対応する開き括弧がありません",
            'remove it, or put it in quotes: ")"',
            '取り除くか、引用符で囲みます: ")"',
        ),
        "group_empty": _Texts(
            "there is nothing between the parentheses",
            "括弧の中に何もありません",
            "expected a term, such as error or level:error",
            "error や level:error のような語が必要です",
        ),
        "term_missing": _Texts(
            "a term is missing here",
            "ここに検索の語が必要です",
            "expected a word, a phrase in quotes, or field:value; {word} as a word is written in quotes",
            "語、引用符で囲んだ語句、または 項目:値 が必要です。{word} を語として探すには引用符で囲みます",
        ),
        "phrase_empty": _Texts(
            "there is nothing between the quotes",
            "引用符の中に何もありません",
            "expected a phrase",
            "語句が必要です",
        ),
        "value_missing": _Texts(
            "a value of {field} is missing",
            "{field} の値がありません",
            f"{_QUOTE_IT}; {{field}}:* finds records that have the field",
            f"{_QUOTE_IT_JA}。{{field}}:* は項目のあるレコードを探します",
        ),
        "value_long": _Texts(
            "the value is longer than {limit} characters",
            "値が{limit}文字を超えています",
        ),
        "name_missing": _Texts(
            "the name of a field is missing",
            "項目の名前がありません",
            "expected a name, such as user_id or http.status",
            "user_id や http.status のような名前が必要です",
        ),
        "name_unfinished": _Texts(
            "the name of the field goes on after its dot",
            "項目の名前が点の後で途切れています",
            'a name with other characters is written in quotes: "a.b".c',
            '他の文字を含む名前は引用符で囲みます: "a.b".c',
        ),
        "name_long": _Texts(
            "the name of the field is longer than {limit} characters or {parts} parts",
            "項目の名前が{limit}文字または{parts}段を超えています",
        ),
        "exists_open": _Texts(
            "expected ) after the name of the field",
            "項目の名前の後に ) が必要です",
        ),
        "not_a_number": _Texts(
            "{op} compares numbers, and {value} is none",
            "{op} は数を比べますが、{value} は数ではありません",
            _QUOTE_IT,
            _QUOTE_IT_JA,
        ),
        "range_form": _Texts(
            "expected a range of numbers or levels, such as [100 TO 500], [100 TO *] or 100..500",
            "[100 TO 500]、[100 TO *]、100..500 のような数かレベルの範囲が必要です",
            _QUOTE_IT,
            _QUOTE_IT_JA,
        ),
        "range_order": _Texts(
            "the range is empty: {low} is above {high}",
            "範囲が空です: {low} は {high} より上です",
            "write the lower end first",
            "小さい方を先に書きます",
        ),
        "level_unknown": _Texts(
            "there is no level {value}",
            "{value} というレベルはありません",
            "did you mean level{op}{near}? the levels are debug, info, warn and error",
            "level{op}{near} のことですか。レベルは debug、info、warn、error です",
        ),
        **{code: _Texts(texts[0], texts[1], *texts[2:]) for code, texts in PIPE_FAULTS.items()},
        "pattern": _Texts(
            "not a regular expression of RE2: {reason}",
            "RE2の正規表現ではありません: {reason}",
            "to search for a text with slashes, put it in quotes",
            "斜線を含む文字を探すには引用符で囲みます",
        ),
    }
)


class SearchError(ValueError):
    """A text that is no search.

    ``code`` names the fault, ``start`` and ``end`` (exclusive) are where it is, as offsets in characters; ``str()`` is
    in English.
    """

    def __init__(self, code: str, start: int, end: int | None = None, **values: Any) -> None:
        self.code = code
        self.start = start
        self.end = start + 1 if end is None else end
        self._values = {name: str(value)[:200] for name, value in values.items()}
        super().__init__(f"{self.message()} (at character {start + 1})")

    def message(self, language: str = "en") -> str:
        """What is wrong."""
        texts = _FAULTS[self.code]
        return (texts.ja if language == "ja" else texts.en).format_map(self._values)

    def hint(self, language: str = "en") -> str:
        """What was expected, or what to write instead; '' where the message says it."""
        texts = _FAULTS[self.code]
        return (texts.ja_hint if language == "ja" else texts.en_hint).format_map(self._values)
