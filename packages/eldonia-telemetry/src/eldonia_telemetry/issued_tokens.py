"""Recognises tokens by what their issuers begin them with, wherever in a text they are.

The prefixes are those that the issuers publish for scanners, such as
https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns. A prefix that
is also part of ordinary words has to be followed by as much as the issuer's tokens have.
"""

import re
from typing import Final

_FORMS: Final = (
    # Ours, GitHub, Docker, Stripe, npm, Hugging Face, Grafana, DigitalOcean, Shopify, Linear, Figma, Sentry, RubyGems
    r"(?:eop[sl]|github_pat|glsa|glc|dckr_(?:pat|oat)|whsec|do[opr]_v1|lin_api|figd|rubygems|sntry[su]|pscale_(?:tkn|pw))"
    r"_[A-Za-z0-9_=-]{12,}+|gh[pousr]_[A-Za-z0-9]{16,}+|[rsp]k_(?:live|test|prod)_[A-Za-z0-9]{12,}+|shp(?:at|ca|pa|ss)_[A-Za-z0-9]{16,}+"
    r"|(?:npm|hf|ntn)_[A-Za-z0-9]{30,}+"
    # Slack, GitLab, OpenAI and Anthropic, PyPI, Square, Google, New Relic, Postman, Heroku, Tailscale, age, Mailgun
    r"|xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{12,}+|xapp-[A-Za-z0-9-]{12,}+"
    r"|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[A-Za-z0-9_.-]{16,}+"
    r"|sk-(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{32,}+|pypi-[A-Za-z0-9_-]{40,}+|sq0[a-z]{3}-[A-Za-z0-9_-]{20,}+"
    r"|GOCSPX-[A-Za-z0-9_-]{20,}+|NRAK-[A-Z0-9]{20,}+|PMAK-[a-f0-9-]{40,}+|HRKU-[A-Za-z0-9_-]{30,}+"
    r"|tskey-[a-z]{2,12}-[A-Za-z0-9-]{12,}+|AGE-SECRET-KEY-1[A-Z0-9]{50,}+|key-[a-f0-9]{32}(?![A-Za-z0-9])"
    # SendGrid, HashiCorp, Google, Doppler, Atlassian, Telegram
    r"|SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+|hv[sb]\.[A-Za-z0-9_-]{20,}+|ya29\.[A-Za-z0-9_-]{20,}+"
    r"|dp\.[a-z]{2}\.[A-Za-z0-9]{30,}+|ATATT3[A-Za-z0-9_=-]{30,}+|(?:bot)?\d{8,10}:AA[A-Za-z0-9_-]{33}"
    # Amazon, Google
    r"|A(?:KIA|SIA|BIA)[A-Z0-9]{16}(?![A-Za-z0-9])|AIza[A-Za-z0-9_-]{35}"
)
_TOKEN: Final = re.compile(rf"(?<![A-Za-z0-9])(?:{_FORMS})")
_ANYWHERE: Final = re.compile(_FORMS)


# The sign between a prefix and the rest. The parts of a UUID, of which every record has one or two, are none.
_BETWEEN: Final = re.compile(r"[-_.:](?=[A-Za-z0-9_-]{12})(?![0-9a-f]{4}-|[0-9a-f]{12}[^0-9a-f-])")
_LAST_TWO: Final = frozenset(
    re.findall(
        r"\w\w",
        "ps at sa lc ec v1 pi gd ms ys yu kn pw hp ho hs hu hr ve st od ca pa ss pm hf tn dt rt bt tt ft mt nt as"
        " ct pp sk tp sp dp pl PX AK KU ey EY SG vs vb 29 pt xa xb xc xd xe xf xg xh xi xj xk xl"
        " xm xn xo xp xq xr xs xt xu xv xw xx xy xz",
    )
)
"""What prefixes end in, before that sign."""


def may_hold(text: str) -> bool:
    """Whether :func:`remove` might find one. False is certain; it is asked of every record, so it is quick."""
    for match in _BETWEEN.finditer(text):
        at = match.start()
        if text[at - 2 : at] in _LAST_TWO or text.startswith(":AA", at):
            return _ANYWHERE.search(text) is not None  # in JSON a letter of an escape may be before it
    return "A" in text and ("AKIA" in text or "ASIA" in text or "AIza" in text or "ABIA" in text or "ATATT3" in text)


def remove(text: str, replacement: str) -> str:
    """The text with ``replacement``, which holds no backslash, for each token."""
    return _TOKEN.sub(replacement, text)
