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


def recognise(user_agent: str) -> str:
    """The tool's name in lower case, '' for any other client."""
    match = _NAMES.search(user_agent)
    return match[0].lower() if match else ""
