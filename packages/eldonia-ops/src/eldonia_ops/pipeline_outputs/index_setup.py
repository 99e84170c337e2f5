"""Puts templates and policies, and makes the first index behind an alias, at an Elasticsearch or OpenSearch."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from eldonia_ops.pipeline.outputs.index_setup import IndexSetup, Rollover, TemplateFile
from eldonia_ops.pipeline_outputs.elasticsearch_errors import reason_of
from eldonia_ops.pipeline_outputs.running import OutputError

logger = logging.getLogger(__name__)

Request = Callable[[str, str, bytes, dict[str, str]], Awaitable[httpx.Response]]
"""Method, path, body and headers of a request."""


async def prepare_indices(setup: IndexSetup, request: Request, now_ms: int) -> None:
    """Put what is not there, and what is to be overwritten; policies first, since templates name them.

    Raises:
        OutputError: the server does not take something, or the file of a template cannot be read.
    """
    for name, policy in setup.policies:
        await _put(request, f"_ilm/policy/{_quoted(name)}", policy, "the policy", overwrite=setup.policy_overwrite)
    folder = "_template" if setup.legacy else "_index_template"
    for file in setup.files:
        body = await asyncio.to_thread(_read, setup, file)
        await _put(request, f"{folder}/{_quoted(file.name)}", body, "the index template", overwrite=setup.overwrite)
    if setup.template is not None:
        body = setup.completed(setup.template)
        path = f"{folder}/{_quoted(setup.template_name)}"
        await _put(request, path, body, "the index template", overwrite=setup.overwrite)
    if setup.rollover is not None:
        await _first_index(request, setup.rollover, now_ms)


async def _put(request: Request, path: str, body: Mapping[str, Any], what: str, *, overwrite: bool) -> None:
    if not overwrite:
        found = await request("GET", path, b"", {})
        if 200 <= found.status_code < 300:
            return
        if found.status_code != 404:
            raise OutputError(f"the question for {what} is answered with {found.status_code}: {reason_of(found)}")
    answer = await request("PUT", path, msgspec.json.encode(body), {"Content-Type": "application/json"})
    if not 200 <= answer.status_code < 300:
        raise OutputError(f"{what} {path} is refused with {answer.status_code}: {reason_of(answer)}")
    logger.info("%s is put at %s", what, path)


async def _first_index(request: Request, rollover: Rollover, now_ms: int) -> None:
    found = await request("HEAD", f"_alias/{_quoted(rollover.alias)}", b"", {})
    if 200 <= found.status_code < 300:
        return
    if found.status_code != 404:
        raise OutputError(f"the question for the alias {rollover.alias} is answered with {found.status_code}")
    index = rollover.first_index(now_ms)
    body = msgspec.json.encode({"aliases": {rollover.alias: {"is_write_index": True}}})
    answer = await request("PUT", _quoted(index), body, {"Content-Type": "application/json"})
    # Another process may have made it between the two requests.
    if not 200 <= answer.status_code < 300 and "resource_already_exists" not in answer.text:
        raise OutputError(f"the index {index} is refused with {answer.status_code}: {reason_of(answer)}")


def _read(setup: IndexSetup, file: TemplateFile) -> dict[str, Any]:
    try:
        return setup.read(Path(file.path).read_text("utf-8"))
    except OSError as error:
        raise OutputError(f"the index template {file.path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise OutputError(f"the index template {file.path} {error}") from error


def _quoted(name: str) -> str:
    return quote(name, safe="")
