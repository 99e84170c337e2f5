"""Units of values: what they are called, how they are shown, and the ids that Grafana has for them.

Grafana's ids: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from eldonia_ops.model.errors import nearest


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit.

    ``kind`` says how a value is shown: ``si`` scales by 1000 with k, M, G; ``iec`` by 1024 with Ki, Mi, Gi; ``count``
    by 1000 with K, Mil, Bil, Tri; ``duration`` in the time unit that fits; ``plain`` as it is; ``percent``,
    ``ratio``; ``clock``, ``date``, ``from_now``; ``bool``, ``hex``, ``sci``, ``locale``, ``text``. ``factor`` turns
    the value into the base of its kind (seconds, bytes, bits; milliseconds for dates). ``symbol`` comes behind the
    number, or before it when ``before``. ``grafana`` is Grafana's id, ``aliases`` others that mean the same.
    """

    id: str
    group: str
    en: str
    ja: str
    kind: str
    symbol: str = ""
    factor: float = 1
    grafana: str = ""
    aliases: tuple[str, ...] = ()
    before: bool = False
    words: tuple[str, str] = ("", "")


_G: Final = {
    "general": ("Numbers", "数値"),
    "data": ("Data", "データ量"),
    "data_rate": ("Data rates", "データ転送速度"),
    "throughput": ("Throughput", "スループット"),
    "time": ("Time", "時間"),
    "date": ("Dates", "日時"),
    "physical": ("Physical", "物理量"),
    "currency": ("Currencies", "通貨"),
}
GROUPS: Final = _G


def _general() -> list[Unit]:
    g = "general"
    return [
        Unit("", g, "Number", "数値", "plain", grafana="none"),
        Unit("short", g, "Number, shortened (1.2 K)", "数値 (短縮: 1.2 K)", "count", grafana="short"),
        Unit("percent", g, "Percent (0 to 100)", "パーセント (0〜100)", "percent", "%", grafana="percent"),
        Unit(
            "ratio", g, "Ratio (0 to 1), as percent", "比率 (0〜1、パーセント表示)", "ratio", "%", grafana="percentunit"
        ),
        Unit("sci", g, "Scientific", "指数表記", "sci", grafana="sci"),
        Unit("locale", g, "Number with separators", "桁区切りの数値", "locale", grafana="locale"),
        Unit("text", g, "Text", "文字列", "text", grafana="string"),
        Unit("hex", g, "Hexadecimal", "16進数", "hex", grafana="hex", aliases=("hex0x",)),
        Unit("bool", g, "True / false", "真 / 偽", "bool", grafana="bool", words=("True", "False")),
        Unit("yes_no", g, "Yes / no", "はい / いいえ", "bool", grafana="bool_yes_no", words=("Yes", "No")),
        Unit("on_off", g, "On / off", "オン / オフ", "bool", grafana="bool_on_off", words=("On", "Off")),
        Unit("humidity", g, "Humidity", "湿度", "plain", "%H", grafana="humidity"),
        Unit("dB", g, "Decibel", "デシベル", "plain", " dB", grafana="dB"),
        Unit("px", g, "Pixels", "ピクセル", "plain", " px", grafana="pixel"),
    ]


def _data() -> list[Unit]:
    found = [
        Unit("bytes", "data", "Bytes (1024)", "バイト (1024)", "iec", "B", grafana="bytes"),
        Unit("bytes_si", "data", "Bytes (1000)", "バイト (1000)", "si", "B", grafana="decbytes"),
        Unit("bits", "data", "Bits (1024)", "ビット (1024)", "iec", "b", grafana="bits"),
        Unit("bits_si", "data", "Bits (1000)", "ビット (1000)", "si", "b", grafana="decbits"),
    ]
    for power, (name, letter, binary, decimal) in enumerate(
        (("Ki", "K", "kbytes", "deckbytes"), ("Mi", "M", "mbytes", "decmbytes"), ("Gi", "G", "gbytes", "decgbytes"),
         ("Ti", "T", "tbytes", "dectbytes"), ("Pi", "P", "pbytes", "decpbytes")), start=1
    ):  # fmt: skip
        small = "k" if letter == "K" else letter
        found.append(Unit(f"{name}B", "data", f"{name}B", f"{name}B", "iec", "B", 1024**power, grafana=binary))
        found.append(Unit(f"{small}B", "data", f"{small}B", f"{small}B", "si", "B", 1000**power, grafana=decimal))
    return found


def _data_rates() -> list[Unit]:
    g = "data_rate"
    found = [
        Unit("bytes/s", g, "Bytes/s (1024)", "バイト/秒 (1024)", "iec", "B/s", grafana="binBps"),
        Unit("bytes_si/s", g, "Bytes/s (1000)", "バイト/秒 (1000)", "si", "B/s", grafana="Bps"),
        Unit("bits/s", g, "Bits/s (1024)", "ビット/秒 (1024)", "iec", "b/s", grafana="binbps"),
        Unit("bits_si/s", g, "Bits/s (1000)", "ビット/秒 (1000)", "si", "b/s", grafana="bps"),
        Unit("packets/s", g, "Packets/s", "パケット/秒", "si", "p/s", grafana="pps"),
    ]
    for power, letter in enumerate("KMGTP", start=1):
        small = "k" if letter == "K" else letter
        found += [
            Unit(f"{letter}iB/s", g, f"{letter}iB/s", f"{letter}iB/s", "iec", "B/s", 1024**power, f"{letter}iBs"),
            Unit(f"{letter}ib/s", g, f"{letter}ib/s", f"{letter}ib/s", "iec", "b/s", 1024**power, f"{letter}ibits"),
            Unit(f"{small}B/s", g, f"{small}B/s", f"{small}B/s", "si", "B/s", 1000**power, f"{letter}Bs"),
            Unit(f"{small}b/s", g, f"{small}b/s", f"{small}b/s", "si", "b/s", 1000**power, f"{letter}bits"),
        ]
    return found


def _throughput() -> list[Unit]:
    # id before the slash, symbol, English, Japanese, Grafana's id for a second, for a minute
    rows = (
        ("count", "c", "Counts", "カウント", "cps", "cpm"),
        ("ops", "ops", "Operations", "操作", "ops", "opm"),
        ("req", "req", "Requests", "リクエスト", "reqps", "reqpm"),
        ("reads", "rd", "Reads", "読み取り", "rps", "rpm"),
        ("writes", "wr", "Writes", "書き込み", "wps", "wpm"),
        ("io", "io", "I/O operations", "I/O", "iops", ""),
        ("events", "evt", "Events", "イベント", "eps", "epm"),
        ("messages", "msg", "Messages", "メッセージ", "mps", "mpm"),
        ("records", "rec", "Records", "レコード", "recps", "recpm"),
        ("rows", "rows", "Rows", "行", "rowsps", "rowspm"),
    )
    found: list[Unit] = []
    for id, symbol, en, ja, second, minute in rows:
        found.append(Unit(f"{id}/s", "throughput", f"{en}/s", f"{ja}/秒", "count", f" {symbol}/s", grafana=second))
        if minute:
            found.append(
                Unit(f"{id}/min", "throughput", f"{en}/min", f"{ja}/分", "count", f" {symbol}/min", grafana=minute)
            )
    return found


def _time() -> list[Unit]:
    g = "time"
    return [
        Unit("ns", g, "Nanoseconds", "ナノ秒", "duration", factor=1e-9, grafana="ns"),
        Unit("us", g, "Microseconds", "マイクロ秒", "duration", factor=1e-6, grafana="µs", aliases=("us", "μs")),
        Unit("ms", g, "Milliseconds", "ミリ秒", "duration", factor=1e-3, grafana="ms"),
        Unit("s", g, "Seconds", "秒", "duration", grafana="s"),
        Unit("min", g, "Minutes", "分", "duration", factor=60, grafana="m"),
        Unit("h", g, "Hours", "時間", "duration", factor=3600, grafana="h"),
        Unit("d", g, "Days", "日", "duration", factor=86400, grafana="d"),
        Unit("duration", g, "Duration in words, of s", "時間の長さ (秒)", "span", grafana="dtdurations"),
        Unit("duration_ms", g, "Duration in words, of ms", "時間の長さ (ミリ秒)", "span", factor=1e-3,
             grafana="dtdurationms"),
        Unit("h:m:s", g, "Duration hh:mm:ss", "時間の長さ hh:mm:ss", "clock", grafana="dthms", aliases=("dtdhms",)),
        Unit("clock", g, "Clock, of s", "時計表示 (秒)", "clock", grafana="clocks"),
        Unit("clock_ms", g, "Clock, of ms", "時計表示 (ミリ秒)", "clock", factor=1e-3, grafana="clockms"),
        Unit("timeticks", g, "Ticks (s/100)", "ティック (1/100秒)", "duration", factor=0.01, grafana="timeticks"),
        Unit("Hz", g, "Hertz", "ヘルツ", "si", "Hz", grafana="hertz", aliases=("rothz",)),
    ]  # fmt: skip


def _dates() -> list[Unit]:
    g = "date"
    return [
        Unit("datetime", g, "Date and time, of Unix ms", "日時 (Unix ミリ秒)", "date", grafana="dateTimeAsIso",
             aliases=("dateTimeAsUS", "dateTimeAsSystem", "dateTimeAsLocal")),
        Unit("time_of_day", g, "Time of today, of Unix ms", "時刻 (Unix ミリ秒)", "date",
             grafana="dateTimeAsIsoNoDateIfToday",
             aliases=("dateTimeAsUSNoDateIfToday", "dateTimeAsLocalNoDateIfToday")),
        Unit("from_now", g, "Time from now, of Unix ms", "現在からの時間 (Unix ミリ秒)", "from_now",
             grafana="dateTimeFromNow"),
    ]  # fmt: skip


def _physical() -> list[Unit]:
    # id, English, Japanese, kind, symbol, factor, Grafana's id
    rows = (
        ("celsius", "Celsius", "摂氏", "plain", " °C", 1, "celsius"),
        ("fahrenheit", "Fahrenheit", "華氏", "plain", " °F", 1, "fahrenheit"),
        ("kelvin", "Kelvin", "ケルビン", "plain", " K", 1, "kelvin"),
        ("W", "Watt", "ワット", "si", "W", 1, "watt"),
        ("mW", "Milliwatt", "ミリワット", "si", "W", 1e-3, "mwatt"),
        ("kW", "Kilowatt", "キロワット", "si", "W", 1e3, "kwatt"),
        ("MW", "Megawatt", "メガワット", "si", "W", 1e6, "megwatt"),
        ("Wh", "Watt hour", "ワット時", "si", "Wh", 1, "watth"),
        ("kWh", "Kilowatt hour", "キロワット時", "si", "Wh", 1e3, "kwatth"),
        ("J", "Joule", "ジュール", "si", "J", 1, "joule"),
        ("VA", "Volt-ampere", "ボルトアンペア", "si", "VA", 1, "voltamp"),
        ("V", "Volt", "ボルト", "si", "V", 1, "volt"),
        ("mV", "Millivolt", "ミリボルト", "si", "V", 1e-3, "mvolt"),
        ("kV", "Kilovolt", "キロボルト", "si", "V", 1e3, "kvolt"),
        ("A", "Ampere", "アンペア", "si", "A", 1, "amp"),
        ("mA", "Milliampere", "ミリアンペア", "si", "A", 1e-3, "mamp"),
        ("kA", "Kiloampere", "キロアンペア", "si", "A", 1e3, "kamp"),
        ("ohm", "Ohm", "オーム", "si", "Ω", 1, "ohm"),
        ("dBm", "Decibel-milliwatt", "デシベルミリワット", "plain", " dBm", 1, "dBm"),
        ("rpm", "Revolutions/min", "回転/分", "plain", " rpm", 1, "rotrpm"),
        ("hPa", "Hectopascal", "ヘクトパスカル", "plain", " hPa", 1, "pressurehpa"),
        ("m", "Metre", "メートル", "si", "m", 1, "lengthm"),
        ("mm", "Millimetre", "ミリメートル", "si", "m", 1e-3, "lengthmm"),
        ("km", "Kilometre", "キロメートル", "si", "m", 1e3, "lengthkm"),
        ("m/s", "Metres/s", "メートル/秒", "plain", " m/s", 1, "velocityms"),
        ("km/h", "Kilometres/h", "キロメートル/時", "plain", " km/h", 1, "velocitykmh"),
        ("g", "Gram", "グラム", "si", "g", 1, "massg"),
        ("kg", "Kilogram", "キログラム", "si", "g", 1e3, "masskg"),
        ("l", "Litre", "リットル", "si", "L", 1, "litre"),
        ("flops", "FLOPS", "FLOPS", "si", "FLOPS", 1, "flops"),
        ("hashes/s", "Hashes/s", "ハッシュ/秒", "si", "H/s", 1, "Hs"),
        ("ppm", "Parts per million", "百万分率", "plain", " ppm", 1, "ppm"),
        ("lux", "Lux", "ルクス", "si", "lx", 1, "lux"),
        ("deg", "Degrees", "度", "plain", "°", 1, "degree"),
    )
    return [
        Unit(id, "physical", en, ja, kind, symbol, factor, grafana)
        for id, en, ja, kind, symbol, factor, grafana in rows
    ]


def _currencies() -> list[Unit]:
    rows = (("USD", "$"), ("EUR", "€"), ("GBP", "£"), ("JPY", "¥"), ("CNY", "¥"), ("KRW", "₩"), ("INR", "₹"),
            ("BRL", "R$"), ("CHF", "CHF "), ("CAD", "CA$"), ("AUD", "A$"), ("RUB", "₽"), ("SEK", "kr "),
            ("PLN", "zł "))  # fmt: skip
    return [
        Unit(code, "currency", code, code, "count", symbol, grafana=f"currency{code}", before=True)
        for code, symbol in rows
    ]


UNITS: Final = tuple(
    unit
    for units in (_general, _data, _data_rates, _throughput, _time, _dates, _physical, _currencies)
    for unit in units()
)
_BY_ID: Final = {unit.id: unit for unit in UNITS}
_PREFIXES: Final = ("suffix:", "prefix:", "si:", "datetime:")
"""Units of one's own: a text behind or before the number; ``si:`` scales it; ``datetime:`` is a format of a date."""


def is_unit(text: str) -> bool:
    """Whether a text is a unit of ours."""
    return text in _BY_ID or text.startswith(_PREFIXES)


def unit_hint(text: str) -> str:
    """What may have been meant by an unknown unit."""
    if text in _by_grafana():
        return f"that is Grafana's name for it: write {_by_grafana()[text] or '(nothing)'!r}"
    return nearest(text, _BY_ID) or f"write suffix:{text} to have it behind the number"


@cache
def _by_grafana() -> dict[str, str]:
    return {name: unit.id for unit in UNITS for name in (unit.grafana, *unit.aliases)}


def unit_from_grafana(id: str) -> str:
    """Our unit for an id of Grafana; what Grafana does not know it shows behind the number, and so do we."""
    if not id:
        return ""
    known = _by_grafana().get(id)
    if known is not None:
        return known
    if id.startswith("time:"):
        return f"datetime:{id.removeprefix('time:').strip()}"
    if id.startswith(("suffix:", "prefix:", "si:")):
        return id
    if id.startswith("count:"):
        return f"suffix:{id.removeprefix('count:')}"
    if id.startswith("currency:"):
        return f"prefix:{id.removeprefix('currency:')}"
    return f"suffix:{id}"


def unit_to_grafana(unit: str) -> str:
    """Grafana's id for a unit."""
    known = _BY_ID.get(unit)
    if known is not None:
        return known.grafana
    return f"time:{unit.removeprefix('datetime:')}" if unit.startswith("datetime:") else unit
