"""What can be wrong with the pipes of a search: in English and Japanese what is wrong, then what to do about it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PIPE_FAULTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "pipe": (
            "a pipe is not possible here: only the search itself is wanted",
            "ここではパイプは使えません。検索の部分だけを書きます",
            'remove what follows |; to search for the character, put it in quotes: "|"',
            '| から後を取り除きます。文字そのものを探すには引用符で囲みます: "|"',
        ),
        "pipe_in_group": (
            "| is inside parentheses",
            "| が括弧の中にあります",
            'close the parenthesis before it; for alternatives write "or", for the character "|" in quotes',
            '先に括弧を閉じます。どちらかを探すには or、文字そのものは引用符で "|" と書きます',
        ),
        "stage_missing": (
            "a command is missing behind |",
            "| の後に命令が必要です",
            "expected one of {commands}",
            "{commands} のいずれかが必要です",
        ),
        "stage_unknown": (
            "there is no command {word}",
            "{word} という命令はありません",
            "did you mean {near}? the commands are {commands}",
            "{near} のことですか。命令は {commands} です",
        ),
        "stage_rest": (
            "{text} does not fit here",
            "{text} はここに書けません",
            "expected {expected}",
            "{expected} が必要です",
        ),
        "too_many_stages": ("there are more than {limit} commands", "命令が{limit}個を超えています"),
        "function_unknown": (
            "there is no function {word}",
            "{word} という関数はありません",
            "did you mean {near}? there are {functions}",
            "{near} のことですか。関数は {functions} です",
        ),
        "function_open": (
            "expected {text} in {word}(…)",
            "{word}(…) に {text} が必要です",
        ),
        "function_field": (
            "{word} needs a field",
            "{word} には項目が必要です",
            "write {word}(duration), for example",
            "{word}(duration) のように書きます",
        ),
        "percentile_bounds": (
            "a percentile is between 0 and 100",
            "パーセンタイルは0から100までです",
            "p50, p95 and p99.9 are some",
            "p50、p95、p99.9 のように書きます",
        ),
        "column_unknown": (
            "there is no column {name} here",
            "ここには {name} という列がありません",
            "did you mean {near}? the columns are {columns}",
            "{near} のことですか。列は {columns} です",
        ),
        "column_gone": (
            "{name} is not there any more: it was renamed or left out before",
            "{name} はもうありません。前で名前が変えられたか除かれています",
            "use its new name, or put this command before the other",
            "新しい名前を使うか、この命令を先に書きます",
        ),
        "column_twice": (
            "two columns have the name {name}",
            "{name} という列が二つあります",
            "give one of them another name: as other",
            "どちらかに別の名前を付けます: as other",
        ),
        "column_reserved": (
            "{name} is a field of every record and cannot be made anew",
            "{name} はどのレコードにもある項目なので作り直せません",
            "choose another name",
            "別の名前を選びます",
        ),
        "words_of_rows": (
            "words look at messages, and rows have none",
            "語はメッセージを探しますが、行にはメッセージがありません",
            "compare a column: {columns}",
            "列を比べます: {columns}",
        ),
        "count_expected": (
            "expected a whole number from 1 to {limit}",
            "1から{limit}までの整数が必要です",
        ),
        "duration_bounds": (
            "{text} is no width of a bucket",
            "{text} は間隔になりません",
            "write 30s, 5m, 1h, 1d, or week, month, quarter, year",
            "30s、5m、1h、1d、または week、month、quarter、year と書きます",
        ),
        "timechart_rows": (
            "rows have no time for timechart",
            "行には timechart に必要な時刻がありません",
            "write timechart in the place of the first command that counts",
            "最初に数える命令の代わりに timechart を書きます",
        ),
        "template_expected": (
            "expected a template in quotes, or a regular expression between slashes",
            "引用符で囲んだ型か、斜線で囲んだ正規表現が必要です",
            'such as extract "order {{id}} of {{user}}" or extract /took (?<ms>[0-9]+)/',
            'extract "order {{id}} of {{user}}" や extract /took (?<ms>[0-9]+)/ のように書きます',
        ),
        "slash_open": (
            "the regular expression is not closed",
            "正規表現が閉じられていません",
            "expected / at its end",
            "終わりに / が必要です",
        ),
        "holes_missing": (
            "nothing is taken out: there is no name",
            "取り出す名前がありません",
            'name a part: "order {{id}}" or /order (?<id>[0-9]+)/',
            '部分に名前を付けます: "order {{id}}"、/order (?<id>[0-9]+)/',
        ),
        "holes_many": ("more than {detail} parts are taken out", "取り出す部分が{detail}個を超えています"),
        "hole_name": (
            "{{{detail}}} is no name",
            "{{{detail}}} は名前になりません",
            "write {{order_id}}; a brace itself is written twice: {{{{",
            "{{order_id}} のように書きます。波括弧そのものは二つ続けて書きます: {{{{",
        ),
        "holes_adjacent": (
            "nothing is between {{{detail}}} and the part before it",
            "{{{detail}}} とその前の部分の間に何もありません",
            "write the text between them, or use a regular expression",
            "間の文字を書くか、正規表現を使います",
        ),
        "expression": (
            "expected a number, a field, or ( in the arithmetic",
            "計算式に数、項目、または ( が必要です",
            "such as eval seconds = duration / 1000",
            "eval seconds = duration / 1000 のように書きます",
        ),
        "expression_open": ("the parenthesis of the arithmetic is not closed", "計算式の括弧が閉じられていません"),
        "expression_deep": ("the arithmetic is too large", "計算式が大きすぎます"),
    }
)
