"""Recognises credentials in text: by the words before them, and by the prefixes that their issuers give them.

Every expression is linear: repetitions are bounded, possessive, or at a place where nothing that follows can fail. It
is asked of texts of any origin, in the thread of the application.
"""

import re
from typing import Final

from eldonia_telemetry import issued_tokens

REDACTED: Final = "[REDACTED]"

_HINTS: Final = (
    *("pass", "pwd", "secret", "token", "key", "authori", "cookie", "bearer", "basic", "credential", "://"),
    *("sig", "auth", "jwt", "otp", "pin", "session", "sid=", "sessid=", "pw=", "パスワード"),
)
# As headers are written, in JSON, in mappings and in pairs of Python's.
_HEADER: Final = re.compile(
    r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)([\"']?\s{0,8}(?:[:=]|=>)\s{0,8}|[\"']\s{0,8},\s{0,8}b?)[^\r\n]++"
)
_SCHEME: Final = re.compile(r"(?i)\b(bearer|basic)\s{1,8}(?=[^\s\"',]{0,200}[0-9=])[A-Za-z0-9._~+/=-]{6,}+")
# A value in quotes, in quotes inside quotes, or up to what may follow a value.
_VALUE: Final = r"(\\\"[^\"\\]{0,4000}\\\"|\"[^\"]{0,4000}\"|'[^']{0,4000}'|[^\s,;&\"'}\\]++)"
_PASSWORD: Final = re.compile(
    r"(?i)((?:(?:passw(?:or)?d|pwd|passphrase|secret(?!ar[yi]|ion|ly)|credential|(?:api|access|private|account|client|signing|encryption|master)[_-]?key)\w{0,20}"
    rf"|[_-]pass|\bpass(?=\s?=)|パスワード)(?:\\?[\"'])?\s{{0,8}}[:=：]\s{{0,8}}){_VALUE}"
)
_TOKEN: Final = re.compile(
    rf"(?i)(token(?:\\?[\"']\s{{0,8}}:\s{{0,8}}|\s{{0,8}}=\s{{0,8}}|:\s{{1,8}}(?=[^\s\d]{{0,64}}\d)(?=\S{{8}}))){_VALUE}"
)
# Up to the last @ before the host: what is written into a URL by hand is often not escaped.
_USERINFO: Final = re.compile(r"(://[^\s/:@?]{0,200}:)[^\s/?]{1,400}@")
# A token in the place of the user, as Git takes it.
_USER: Final = re.compile(r"(://)(?=[^\s/:@?]{0,199}[0-9])[^\s/:@?\[\]]{20,200}@")
# Only names that carry credentials as they are: ?sort_key=price is none.
_PARAMETER: Final = re.compile(
    r"(?i)([?&;](?:key|(?:[\w.-]{1,40}[_.-])?(?:(?:api|access|secret|private|auth|app|client|master|subscription|shared)[_-]?key"
    r"|sig|signature|token|secret|passw(?:or)?d|pwd|pw|pass|jwt|otp|pin|auth|credential|(?:j|php)?sess(?:ion)?_?id|sid)|apikey)=)[^&\s#\"'<>]++"
)
_FLAG: Final = re.compile(
    r"(?i)((?:(?:^|[\s\"'\[(])-|^|[ \"'])-(?!no-)(?:[a-z]{1,20}[_-]){0,4}"
    r"(?:passw(?:or)?d|(?:store|key)?pass|passin|passout|passphrase|secret|token|credentials?|api-?key|access-?key|secret-?key|private-?key|auth-?key)(?:=|[\"']?,?\s{1,8}))"
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
_SINGLE_DASH: Final = re.compile(r"(?:^|[ '\"])-[A-Za-z]")
_CURL_USER: Final = re.compile(r"(\bcurl\b[^\r\n|;]{0,160}?\s(?:-u|--user)[\s=]{0,4}[\"']?[^\s:\"']{0,64}:)[^\s\"']++")
_PRIVATE_KEY: Final = re.compile(
    r"(-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)(?!\[REDACTED\]).*?"
    r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_HOOK: Final = re.compile(
    r"(?i)(\bhooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/|\bdiscord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/"
    r"|\bwebhook\.office\.com/webhookb2/|\bhooks\.zapier\.com/hooks/catch/)"
    r"[A-Za-z0-9_/.@-]{4,}+"
)
# A JSON Web Token is looked for in whole runs: expressions that begin at every "eyJ" of a run read it again and again.
_RUN: Final = re.compile(r"[A-Za-z0-9_.-]{16,}+")
_WORD: Final = re.compile(r"[A-Za-z0-9_]")
_MIN_PART: Final = 5
_MIN_ENCRYPTED: Final = 16


def may_hold_flag(text: str) -> bool:
    """Whether a text, or the JSON of one, may hold a flag with a value."""
    return "--" in text or (
        (" -" in text or "'-" in text or '"-' in text or text[:1] == "-") and _SINGLE_DASH.search(text) is not None
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
                text = _USER.sub(rf"\1{REDACTED}@", text)
                text = _PASSWORD.sub(rf"\1{REDACTED}", text)
                text = _TOKEN.sub(rf"\1{REDACTED}", text)
                if "=" in text:
                    text = _PARAMETER.sub(rf"\1{REDACTED}", text)
                break
    if "-" in text:
        if may_hold_flag(text):
            text = _FLAG.sub(rf"\1{REDACTED}", text)
            text = _SHORT_FLAG.sub(rf"\1{REDACTED}", text)
            if "curl" in text:
                text = _CURL_USER.sub(rf"\1{REDACTED}", text)
        if "PRIVATE KEY" in text:
            text = _PRIVATE_KEY.sub(rf"\1{REDACTED}", text)
    if issued_tokens.may_hold(text):
        text = issued_tokens.remove(text, REDACTED)
    if "eyJ" in text:
        text = _RUN.sub(_without_jwt, text)
    if "/" in text and ("hooks." in text or "webhook" in text):
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
            # An encrypted one has two parts more.
            for _ in range(2):
                if number < len(parts) and len(parts[number]) >= _MIN_ENCRYPTED:
                    number += 1
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
