"""TLS contexts that connections share: to make one reads all certificates of the system, some 20 ms."""

import ssl


class TlsContexts:
    """Makes at most one context for each way of verifying, when it is first asked for."""

    def __init__(self) -> None:
        self._contexts: dict[bool, ssl.SSLContext] = {}

    def get(self, *, verify: bool = True) -> ssl.SSLContext:
        """The system's trusted certificates; without ``verify`` any certificate will do."""
        context = self._contexts.get(verify)
        if context is None:
            context = self._contexts[verify] = ssl.create_default_context()
            if not verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
        return context
