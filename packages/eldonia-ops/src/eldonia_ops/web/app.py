"""The main application: the whole HTTP side of a platform behind one gate."""

from collections.abc import Sequence

from starlette.applications import Starlette

from eldonia_ops import __version__
from eldonia_ops.intake import Intake
from eldonia_ops.services.api import Platform
from eldonia_ops.web.http_side import HttpSide
from eldonia_ops.web.limits import RequestLimits


def create_app(
    platform: Platform,
    *,
    external_url: str = "",
    loopback: bool = True,
    secure_cookies: bool | None = None,
    limits: RequestLimits | None = None,
    intakes: Sequence[Intake] = (),
    version: str = __version__,
) -> Starlette:
    """The application of a platform that has no listener but the main one; see :class:`HttpSide`."""
    side = HttpSide(
        platform,
        external_url=external_url,
        secure_cookies=secure_cookies,
        limits=limits,
        intakes=intakes,
        version=version,
    )
    return side.main(loopback=loopback)
