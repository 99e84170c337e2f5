"""Markdown of text panels, as HTML that cannot carry script: what the pages show beside charts."""

from typing import Annotated, Final, Self

import msgspec
from fastapi import FastAPI
from pydantic import Field, model_validator
from starlette.responses import Response

from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.heavy import HeavyWork
from eldonia_ops.web.markdown import to_html
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.openapi import operation

_MOST_TEXTS: Final = 100
_LONGEST_TEXT: Final = 200_000
_LONGEST_TOGETHER: Final = 1_000_000
_Markdown = Annotated[str, Field(max_length=_LONGEST_TEXT)]


class TextsBody(Body):
    """Texts in Markdown."""

    texts: list[_Markdown] = Field(max_length=_MOST_TEXTS)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if sum(map(len, self.texts)) > _LONGEST_TOGETHER:
            raise ValueError(f"all texts together may have at most {_LONGEST_TOGETHER:,} characters")
        return self


class TextsShape(msgspec.Struct):
    """The HTML of each text, in their order."""

    html: list[str]


def add_to(api: FastAPI, heavy: HeavyWork) -> None:
    """Add the operation."""

    @api.post("/markdown", tags=["dashboards"], **operation(Permission.READ, TextsShape))
    async def render(body: TextsBody) -> Response:
        """Texts as HTML. Raw HTML in them is shown as text; only addresses of the usual schemes are links."""
        async with heavy.place():
            return Json(TextsShape(await heavy.run(lambda: [to_html(text) for text in body.texts])))
