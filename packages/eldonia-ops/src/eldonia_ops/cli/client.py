"""The command line's HTTP client: it talks to a running platform through the native API."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx

from eldonia_ops.model.errors import ConfigError, StoreError
from eldonia_ops.model.places import is_loopback

PREFIX = "/api/ops/v1"
DEFAULT_URL = "http://127.0.0.1:9600"


class ApiError(RuntimeError):
    """The platform could not be reached, or said no. ``status`` is the HTTP status, 0 for no answer.

    ``position`` is where the fault of a query is, as an offset in characters; -1 for a fault at no place.
    """

    def __init__(self, message: str, status: int = 0, hint: str = "", position: int = -1) -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint
        self.position = position


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer as it comes: about how many bytes it has (0: unknown), and its bytes."""

    size: int
    pieces: Iterator[bytes]


class MalformedAnswerError(RuntimeError):
    """JSON came that lacks what the platform's answers have."""


_answered: Final[list[str]] = []


@contextlib.contextmanager
def answers_expected() -> Iterator[None]:
    """Commands take answers for what they must be; where one is not, this says whose answer it was.

    Raises:
        MalformedAnswerError: a command stumbled over an answer that it had been given.
    """
    try:
        yield
    except (ConfigError, StoreError):
        raise
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        if not _answered:
            raise
        message = f"the answer of {_answered[-1]} makes no sense: is it Eldonia Ops, of this version? ({error!r})"
        raise MalformedAnswerError(message[:400]) from None


class Client:
    """Synchronous access to the native API; one connection, kept open.

    Raises:
        ApiError: the address is none.
    """

    def __init__(self, url: str, token: str, *, timeout_seconds: float = 30.0) -> None:
        if not _is_address(url):
            raise ApiError(f"not the address of a platform: {url!r}", hint=f"write it like {DEFAULT_URL}")
        if not (token.isascii() and token.isprintable()):
            raise ApiError("the token holds characters that no token has", hint="copy it again, without line ends")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url.rstrip("/")
        # To read the certificates of all authorities takes longer than most commands: only where there is TLS.
        self._http = httpx.Client(
            base_url=self.url,
            headers=headers,
            timeout=timeout_seconds,
            verify=self.url.lower().startswith("https:"),
            trust_env=False,
        )

    def get(self, path: str, **params: Any) -> Any:
        """GET below ``/api/ops/v1``; parameters that are None are left out.

        Raises:
            ApiError: no answer, or an answer other than 2xx.
        """
        return self._call("GET", path, params={key: value for key, value in params.items() if value is not None})

    def post(self, path: str, body: Any = None) -> Any:
        """POST a JSON body.

        Raises:
            ApiError: no answer, or an answer other than 2xx.
        """
        return self._call("POST", path, json={} if body is None else body)

    def put(self, path: str, body: Any) -> Any:
        """PUT a JSON body.

        Raises:
            ApiError: no answer, or an answer other than 2xx.
        """
        return self._call("PUT", path, json=body)

    def patch(self, path: str, body: Any) -> Any:
        """PATCH with a JSON body.

        Raises:
            ApiError: no answer, or an answer other than 2xx.
        """
        return self._call("PATCH", path, json=body)

    @contextlib.contextmanager
    def stream(self, path: str) -> "Iterator[Streamed]":
        """GET an answer that is too large to hold.

        Raises:
            ApiError: no answer, an answer other than 2xx, or it ended too early.
        """
        try:
            with self._http.stream("GET", f"{PREFIX}{path}", headers={"Accept-Encoding": "identity"}) as response:
                if not response.is_success:
                    response.read()
                self._require_ours(response)
                size = response.headers.get("x-eldonia-ops-size", "")
                yield Streamed(int(size) if size.isdigit() else 0, response.iter_raw())
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unreached(error) from None

    def get_text(self, path: str, **params: Any) -> tuple[str, str]:
        """A text and its entity tag, '' for a text that is not stored.

        Raises:
            ApiError: no answer, or an answer other than 2xx.
        """
        response = self._answer("GET", path, params=params)
        return response.text, response.headers.get("etag", "")

    def get_page(self, path: str) -> str:
        """A text at an address outside of the native API, such as ``/metrics``.

        Raises:
            ApiError: no answer, or an answer other than 2xx.
        """
        try:
            response = self._http.get(path)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unreached(error) from None
        if not response.is_success:
            raise ApiError(f"{response.status_code} {response.reason_phrase}", response.status_code)
        return response.text

    def put_text(self, path: str, text: str, replacing: str) -> Any:
        """PUT Markdown in place of the text with this entity tag, '' where none is stored.

        Raises:
            ApiError: no answer, or an answer other than 2xx; 412 if another text is stored by now.
        """
        condition = {"If-Match": replacing} if replacing else {"If-None-Match": "*"}
        headers = {"Content-Type": "text/markdown", **condition}
        return self._call("PUT", path, content=text.encode("utf-8", "replace"), headers=headers)

    def delete(self, path: str) -> Any:
        """DELETE.

        Raises:
            ApiError: no answer, or an answer other than 2xx.
        """
        return self._call("DELETE", path)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        response = self._answer(method, path, **arguments)
        _answered[:] = [self.url]
        if response.headers.get("content-type", "").startswith(("text/markdown", "application/yaml")):
            return response.text
        try:
            return response.json()
        except (ValueError, RecursionError):
            raise self._foreign() from None

    def _foreign(self) -> ApiError:
        return ApiError(f"what answers at {self.url} is not Eldonia Ops", hint="name its address with --url")

    def _answer(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            response = self._http.request(method, f"{PREFIX}{path}", **arguments)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unreached(error) from None
        self._require_ours(response)
        return response

    def _unreached(self, error: Exception) -> ApiError:
        """What to say of a request without an answer."""
        if isinstance(error, httpx.ConnectError):
            if _speaks_otherwise(error):
                hint = "is it http where https is written? is the certificate one that this machine trusts?"
                return ApiError(f"no answer from {self.url}: {error}", hint=hint)
            return ApiError(
                f"nothing answers at {self.url}", hint="start it with eldonia-ops serve, or name another with --url"
            )
        hint = "is it https where http is written, or the other way round?" if _speaks_otherwise(error) else ""
        return ApiError(f"no answer from {self.url}: {error or type(error).__name__}", hint=hint)

    def _require_ours(self, response: httpx.Response) -> None:
        """Take an answer that is 2xx and ours.

        Raises:
            ApiError: it is not.
        """
        if response.is_success:
            # A page is what other servers answer with; ours sends JSON, Markdown or YAML.
            if "html" in response.headers.get("content-type", ""):
                raise self._foreign()
            return
        message, hint, position = f"{response.status_code} {response.reason_phrase}", "", -1
        try:
            fault = response.json()["error"]
            message, hint = fault.get("message") or message, fault.get("hint") or ""
            position = int(fault.get("position", -1))
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            # Each refusal of ours is JSON with an error in it; a proxy in front may answer otherwise.
            if response.status_code not in (401, 403, 413, 429, 502, 503, 504):
                raise self._foreign() from None
        if response.status_code == 401:
            hint = (
                "give one with --token or ELDONIA_OPS_TOKEN; without one, the admin's is read from the data folder "
                "that eldonia-ops.yml names (data:), if this user may read it"
            )
        raise ApiError(message, response.status_code, hint, position)


def _speaks_otherwise(error: Exception) -> bool:
    return isinstance(error, httpx.RemoteProtocolError) or "ssl" in str(error).lower()


def part(text: str) -> str:
    """What a person wrote, as one segment of a path: no slash or question mark in it leads elsewhere."""
    return quote(text, safe="") if text.strip(".") else "-"


def find_token(given: str, data: Path, url: str = DEFAULT_URL) -> str:
    """The token to use: the one given, ``ELDONIA_OPS_TOKEN``, or the admin token in the data directory.

    The last only for a platform on this machine: it is not for others to see.
    """
    if given:
        return given
    if token := os.environ.get("ELDONIA_OPS_TOKEN", ""):
        return token
    if not _on_this_machine(url):
        return ""
    try:
        return (data / "admin.token").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _on_this_machine(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return is_loopback(host)
