"""What a configuration holds and no message about it may show."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from eldonia_ops.model.errors import Diagnostic

SHOWN: Final = "<secret>"
_SHORTEST: Final = 4
"""Shorter texts are parts of every other word."""
_SEPARATED: Final = re.compile(r"[\s/?&=#,;'\"]")
_LEAST_PART: Final = 8
_PLACE: Final = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|[A-Za-z][\w.-]{0,200}:\d{1,5}|(?:\d{1,3}\.){3}\d{1,3}:\d{1,5}")
"""An address of a host, with or without its port."""
_DIGIT: Final = re.compile(r"\d")
_ISSUED: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:eop[sl]|gh[pousr]|github_pat|[rs]k_(?:live|test)|glsa|glc|whsec|dckr_pat|do[opr]_v1|shp(?:at|ca|pa|ss)"
    r"|lin_api)_[A-Za-z0-9_-]{12,}+|(?:npm|hf)_[A-Za-z0-9]{30,}+|xox[a-z]-[A-Za-z0-9-]{8,}+|xapp-[A-Za-z0-9-]{8,}+"
    r"|gl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_.-]{16,}+|sk-(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{32,}+"
    r"|SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+|hv[sb]\.[A-Za-z0-9_-]{20,}+|ya29\.[A-Za-z0-9_-]{20,}+"
    r"|A(?:KIA|SIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{35}|(?:bot)?\d{8,10}:AA[A-Za-z0-9_-]{33}"
    r"|eyJ[A-Za-z0-9_-]{8,400}+\.[A-Za-z0-9_.-]{8,}+)"
)
"""Tokens are known by what their issuers begin them with, wherever they were pasted."""
_PASSWORD: Final = re.compile(r"(://[^\s/:@?'\"]{0,200}:)[^\s/?'\"]{1,400}@")
_HOOK: Final = re.compile(
    r"(\bhooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/|\bdiscord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/"
    r"|\bwebhook\.office\.com/webhookb2/)[A-Za-z0-9_/.@-]{4,}+"
)
_PARAMETER: Final = re.compile(
    r"(?i)([?&;](?:key|(?:[\w.-]{1,40}[_.-])?(?:(?:api|access|secret|private|auth|app|client|shared)[_-]?key|sig|signature|token"
    r"|secret|passw(?:or)?d|pwd|pw|pass|jwt|auth|credential|session_?id)|apikey)=)[^&\s#\"'<>]++"
)
_FLAG: Final = re.compile(
    r"(?i)(--(?:[a-z]{1,20}-){0,3}(?:passw(?:or)?d|passphrase|secret|token|api-?key|access-?key|secret-?key)=)[^\s\"']++"
)


class Concealed:
    """Texts that were filled in from the environment, and secrets; with what is shown in their place.

    A message is made of what people wrote, so anything of it may turn up anywhere in one: in quotation marks, within a
    path, in a list of names that are known. That is why messages are cleaned as a whole, once all texts are known.
    """

    def __init__(self, *others: "Concealed") -> None:
        # By their first characters, then by length: cleaning takes the time of the message, however many there are.
        self._texts: dict[str, dict[int, dict[str, str]]] = {}
        for other in others:
            self.include(other)

    def add(self, text: str, shown: str = SHOWN) -> None:
        """Conceal a text, as it is and as messages quote it, and the password in it if it is a URL."""
        for form in {text, repr(text)[1:-1], text.strip(), " ".join(text.split()), _password(text)}:
            if len(form) >= _SHORTEST:
                self._texts.setdefault(form[:_SHORTEST], {}).setdefault(len(form), {}).setdefault(form, shown)

    def include(self, other: "Concealed") -> None:
        """Conceal what another one conceals."""
        for start, by_length in other._texts.items():
            for length, texts in by_length.items():
                self._texts.setdefault(start, {}).setdefault(length, {}).update(texts)

    def with_parts(self) -> "Concealed":
        """The same, and what in these texts gives access by itself: the credential behind the name of a scheme
        (``Bearer …``), and parts of addresses that are no words. For texts that may quote any part."""
        found = Concealed(self)
        for by_length in self._texts.values():
            for texts in by_length.values():
                for text, shown in texts.items():
                    for part in _SEPARATED.split(text):
                        if len(part) >= _LEAST_PART and _DIGIT.search(part) and not _PLACE.fullmatch(part):
                            found.add(part, shown)
        return found

    def variables(self) -> "Concealed":
        """Only the texts that are shown as the variable of the environment that they came from."""
        found = Concealed()
        for start, by_length in self._texts.items():
            for length, texts in by_length.items():
                if named := {text: shown for text, shown in texts.items() if shown.startswith("${")}:
                    found._texts.setdefault(start, {})[length] = named
        return found

    def clean(self, text: str) -> str:
        """The text with everything concealed replaced, the longest first, and what looks like a secret by itself."""
        text = without_secrets(text)
        if not self._texts:
            return text
        parts: list[str] = []
        done = place = 0
        while place + _SHORTEST <= len(text):
            found = self._at(text, place)
            if found is None:
                place += 1
                continue
            parts += [text[done:place], found[1]]
            done = place = place + found[0]
        return "".join([*parts, text[done:]])

    def _at(self, text: str, place: int) -> tuple[int, str] | None:
        by_length = self._texts.get(text[place : place + _SHORTEST])
        for length in sorted(by_length, reverse=True) if by_length else ():
            shown = by_length[length].get(text[place : place + length]) if by_length else None
            if shown is not None:
                return length, shown
        return None

    def cleaned(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The diagnostics, with clean messages and hints."""
        return [replace(item, message=self.clean(item.message), hint=self.clean(item.hint)) for item in diagnostics]


def without_secrets(text: str) -> str:
    """A text without what looks like a secret by itself: issued tokens, passwords in URLs, parameters and flags."""
    text = _PASSWORD.sub(rf"\1{SHOWN}@", _ISSUED.sub(SHOWN, text))
    return _FLAG.sub(rf"\1{SHOWN}", _PARAMETER.sub(rf"\1{SHOWN}", _HOOK.sub(rf"\1{SHOWN}", text)))


def _password(text: str) -> str:
    try:
        return urlsplit(text).password or "" if "://" in text else ""
    except ValueError:
        return ""
