"""Recognises credentials in text: by the words before them, and by the prefixes that their issuers give them.

Every expression is linear: repetitions are bounded, possessive, or at a place where nothing that follows can fail. It
is asked of texts of any origin, in the thread of the application.
"""

import re
from typing import Final

REDACTED: Final = "[REDACTED]"

_HINTS: Final = (
    *("pass", "pwd", "secret", "token", "key", "authori", "cookie", "bearer", "basic", "credential", "://"),
    *("sig", "auth", "jwt", "otp", "pin", "session", "パスワード"),
)
# As headers are written, in JSON, in mappings and in pairs of Python's.
_HEADER: Final = re.compile(
    r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)([\"']?\s{0,8}(?:[:=]|=>)\s{0,8}|[\"']\s{0,8},\s{0,8}b?)[^\r\n]++"
)
_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic)\s{1,8}(?=[^\s\"',]{0,200}[0-9=])[A-Za-z0-9._~+/=-]{6,}+")
# A value in quotes, in quotes inside quotes, or up to what may follow a value.
_VALUE: Final = r"(\\\"[^\"\\]{0,4000}\\\"|\"[^\"]{0,4000}\"|'[^']{0,4000}'|[^\s,;&\"'}\\]++)"
_PASSWORD: Final = re.compile(
    r"(?i)((?:(?:passw(?:or)?d|pwd|passphrase|secret(?!ar[yi]|ion|ly)|credential|(?:api|access|private)[_-]?key)\w{0,20}"
    rf"|[_-]pass|\bpass(?=\s?=)|パスワード)(?:\\?[\"'])?\s{{0,8}}[:=：]\s{{0,8}}){_VALUE}"
)
_TOKEN: Final = re.compile(
    rf"(?i)(token(?:\\?[\"']\s{{0,8}}:\s{{0,8}}|\s{{0,8}}=\s{{0,8}}|:\s{{1,8}}(?=[^\s\d]{{0,64}}\d)(?=\S{{8}}))){_VALUE}"
)
# Up to the last @ before the host: what is written into a URL by hand is often not escaped.
_USERINFO: Final = re.compile(r"(://[^\s/:@?]{0,200}:)[^\s/?]{1,400}@")
# Only names that carry credentials as they are: ?sort_key=price is none.
_PARAMETER: Final = re.compile(
    r"(?i)([?&;](?:key|(?:[\w.-]{1,40}[_.-])?(?:(?:api|access|secret|private|auth|app|client|master|subscription|shared)[_-]?key"
    r"|sig|signature|token|secret|passw(?:or)?d|pwd|pass|jwt|otp|pin|auth|credential|session_?id)|apikey)=)[^&\s#\"'<>]++"
)
_FLAG: Final = re.compile(
    r"(?i)((?:^|[\s\"'\[(])--?(?!no-)(?:[a-z]{1,20}[_-]){0,4}(?:passw(?:or)?d|pass|passphrase|secret|token|credentials?"
    r"|api-?key|access-?key|secret-?key|private-?key|auth-?key)(?:=|[\"']?,?\s{1,8}))"
    r"(?!\[REDACTED\]|(?:is|was|and|or|must|not|needs?|option|options|flag|argument|for|to|with|from|in|of|the|cannot|are|has|should"
    r"|instead|if|on|by|as|takes|given|requires|when)\b)(\"[^\"]{1,400}\"|'[^']{1,400}'|[^\s\"'\-,][^\s\"',]*+)"
)
# -p is a port, a path or a project with most programs. An atomic group, since a possessive repetition around a
# look-ahead never matches in Python 3.11.2.
_SHORT_FLAG: Final = re.compile(
    r"((?:\b(?:mysql\w{0,12}|mariadb(?:-\w{1,12})?|mongo\w{0,8}|sshpass|htpasswd|docker\s{1,4}login|podman\s{1,4}login"
    r"|helm\s{1,4}registry\s{1,4}login|az\s{1,4}login|oc\s{1,4}login|smbclient|ldapsearch|redis-cli)\b|-u\s?[^\s\"']{1,64})"
    r"(?>(?:(?!\s-[pwa])[^\r\n|;]){0,80})\s-[pwa]\s{0,4})"
    r"(?!\[REDACTED\]|\d{1,5}(?:[:/\s]|$))(\"[^\"]{1,400}\"|'[^']{1,400}'|[^\s\"'\-][^\s\"']*+)"
)
_CURL_USER: Final = re.compile(r"(\bcurl\b[^\r\n|;]{0,160}?\s(?:-u|--user)[\s=]{0,4}[\"']?[^\s:\"']{0,64}:)[^\s\"']++")
_PRIVATE_KEY: Final = re.compile(
    r"(-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)(?!\[REDACTED\]).*?"
    r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_HOOK: Final = re.compile(
    r"(?i)(\bhooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/|\bdiscord(?:app)?\.com/api/webhooks/)"
    r"[A-Za-z0-9_/.-]{4,}+"
)
# What issuers begin their tokens with.
_ISSUED: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:eops_[A-Za-z0-9_-]{12,}+|gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_[A-Za-z0-9_]{16,}+"
    r"|[rs]k_live_[A-Za-z0-9]{8,}+"
    r"|xox[a-z]-[A-Za-z0-9-]{8,}+|xapp-[A-Za-z0-9-]{8,}+|A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|AIza[A-Za-z0-9_-]{35})"
)
# A JSON Web Token is looked for in whole runs: expressions that begin at every "eyJ" of a run read it again and again.
_RUN: Final = re.compile(r"[A-Za-z0-9_.-]{16,}+")
_WORD: Final = re.compile(r"[A-Za-z0-9_]")
_MIN_PART: Final = 5


def may_hold_underscored(text: str) -> bool:
    """Whether a text with an underscore may hold a token of an issuer that has one in its prefix."""
    return (
        "eops_" in text
        or "_live_" in text
        or ("gh" in text and ("ghp_" in text or "gho_" in text or "ghs_" in text or "ghu_" in text or "ghr_" in text))
        or "github_pat_" in text
    )


def may_hold_dashed(text: str) -> bool:
    """Whether a text with a dash may hold a token of an issuer that has one in its prefix, a flag or a private key."""
    return (
        "--" in text
        or ("x" in text and ("xox" in text or "xapp-" in text))
        or (" -" in text and (" -p" in text or " -u" in text or " -a" in text or " -w" in text))
    )


def remove(text: str) -> str:
    """The text with credentials replaced; the same object when there are none."""
    if ":" in text or "=" in text or "earer " in text or "asic " in text or "：" in text or "uthorization" in text:
        lowered = text.lower()
        for hint in _HINTS:
            if hint in lowered:
                text = _HEADER.sub(rf"\1\2{REDACTED}", text)
                text = _SCHEME.sub(rf"\1 {REDACTED}", text)
                text = _USERINFO.sub(rf"\1{REDACTED}@", text)
                text = _PASSWORD.sub(rf"\1{REDACTED}", text)
                text = _TOKEN.sub(rf"\1{REDACTED}", text)
                if "=" in text:
                    text = _PARAMETER.sub(rf"\1{REDACTED}", text)
                break
    if "-" in text:
        if "--" in text or " -" in text:
            text = _FLAG.sub(rf"\1{REDACTED}", text)
            text = _SHORT_FLAG.sub(rf"\1{REDACTED}", text)
            if "curl" in text:
                text = _CURL_USER.sub(rf"\1{REDACTED}", text)
        if "PRIVATE KEY" in text:
            text = _PRIVATE_KEY.sub(rf"\1{REDACTED}", text)
    if (
        ("_" in text and may_hold_underscored(text))
        or ("-" in text and may_hold_dashed(text))
        or ("A" in text and ("AKIA" in text or "ASIA" in text or "AIza" in text))
    ):
        text = _ISSUED.sub(REDACTED, text)
    if "eyJ" in text:
        text = _RUN.sub(_without_jwt, text)
    if "/" in text and ("slack" in text or "discord" in text):
        text = _HOOK.sub(rf"\1{REDACTED}", text)
    return text


def _without_jwt(match: re.Match[str]) -> str:
    """A run without the JSON Web Tokens in it (header, payload and signature, the latter may be empty)."""
    run = match[0]
    if "eyJ" not in run:
        return run
    parts = run.split(".")
    kept: list[str] = []
    number = 0
    while number < len(parts):
        part = parts[number]
        at = _begins(part) if number + 2 < len(parts) and len(parts[number + 1]) >= _MIN_PART else -1
        if at < 0:
            kept.append(part)
            number += 1
        else:
            kept.append(part[:at] + REDACTED)
            number += 3
    return ".".join(kept)


def _begins(part: str) -> int:
    """Where a token's header begins in a part that it ends, -1 for nowhere."""
    at = part.find("eyJ")
    while at >= 0:
        if len(part) - at < 3 + _MIN_PART:
            return -1
        if at == 0 or not _WORD.match(part[at - 1]):
            return at
        at = part.find("eyJ", at + 3)
    return -1
