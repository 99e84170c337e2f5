"""Recognises tools that look for holes by the name they give themselves.

Honest tools only: one that hides its name is found by what it sends. General HTTP clients (curl,
python-requests, Go-http-client), search engines and monitors are none of these.
"""

import re
from typing import Final

_NAMES: Final = re.compile(
    r"\b(sqlmap|nikto|nuclei|nessus|openvas|acunetix|netsparker|invicti|w3af|wpscan|joomscan|dirbuster|gobuster"
    r"|feroxbuster|dirsearch|ffuf|wfuzz|arachni|skipfish|zgrab|masscan|zmeu|havij|commix|xsstrike|dalfox|jaeles"
    r"|whatweb|jorgee|morfeus|detectify|qualys|appscan|webinspect|burpcollaborator|zaproxy"
    r"|fuzz faster u fool|nmap scripting engine|project discovery|libredtail|leakix|l9explore|l9tcpid)\b",
    re.IGNORECASE,
)
_MAX_KNOWN: Final = 2048
_known: dict[bytes, str] = {}


def recognise(user_agent: bytes) -> str:
    """The tool's name in lower case, '' for any other client. A name seen before costs a dictionary look-up."""
    found = _known.get(user_agent)
    if found is None:
        match = _NAMES.search(user_agent[:512].decode("latin-1"))
        found = match[0].lower() if match else ""
        if len(_known) < _MAX_KNOWN and len(user_agent) <= 512:
            _known[user_agent] = found
    return found
