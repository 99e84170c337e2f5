"""Kinds of texts: plain ones, paths, URLs, secrets."""

from dataclasses import dataclass
from typing import Any, ClassVar

from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.kinds import Clean, Kind, any_of
from eldonia_ops.settings.reader import SettingsReader, is_url


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """A text. ``sensitive``: people put credentials into it, so what came from the environment is not shown."""

    sensitive: bool = False
    what: str = "text"

    @property
    def words(self) -> str:
        """The kind in words."""
        return self.what

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """Numbers and booleans are taken as written."""
        return reader.string(key, default, required=required)

    def schema(self) -> dict[str, Any]:
        """Any scalar."""
        return {"type": ["string", "number", "boolean", "null"]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """The text."""
        return clean(value) if self.sensitive else value


@dataclass(frozen=True, slots=True)
class UrlPath(Text):
    """The path of a URL."""

    what: str = "path of a URL"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """It starts with a slash."""
        found = reader.string(key, default, required=required)
        if not found.startswith("/"):
            reader.fault(key, f"{key} must start with a slash, not {found!r}")
        return found

    def schema(self) -> dict[str, Any]:
        """A text with a slash in front."""
        return any_of({"type": "string", "pattern": "^/"})


@dataclass(frozen=True, slots=True)
class FilePath(Text):
    """A file or folder; relative paths start in the folder of the settings. None when it is not set."""

    what: str = "path"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """An absolute path, or None."""
        return reader.absolute(key) or default

    def plain(self, value: Any, clean: Clean) -> Any:
        """The path as a text, or None."""
        return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Glob(Text):
    """A pattern of file names."""

    what: str = "glob"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The pattern, made absolute."""
        return reader.glob(key, required=required) or default


@dataclass(frozen=True, slots=True)
class Url(Text):
    """A URL with a host, of one of some schemes. ``bare``: without a slash at its end."""

    what: str = "URL"
    schemes: tuple[str, ...] = ("http", "https")
    bare: bool = False

    @property
    def words(self) -> str:
        """The kind with its schemes."""
        return f"URL of {', '.join(f'`{scheme}`' for scheme in self.schemes)}"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The URL; the default where it is none."""
        found = reader.url(key, default, required=required, schemes=self.schemes)
        return found.rstrip("/") if self.bare else found

    def schema(self) -> dict[str, Any]:
        """A text that begins with one of the schemes."""
        return any_of(
            {"type": "string", "pattern": f"^(?:{'|'.join(self.schemes)})://", "format": "uri"}, {"const": ""}
        )


@dataclass(frozen=True, slots=True)
class SecretText(Kind):
    """A text that is never shown; the key with ``_file`` behind it names a file that holds it instead."""

    secret: ClassVar[bool] = True
    has_file: ClassVar[bool] = True
    empty: ClassVar[Any] = Secret("")
    what: str = "secret"

    @property
    def words(self) -> str:
        """The kind in words."""
        return f"{self.what}, or `…_file`"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The secret."""
        return reader.secret(key, required=required) or default

    def schema(self) -> dict[str, Any]:
        """Any scalar."""
        return {"type": ["string", "number", "boolean", "null"]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """``<secret>``, or an empty text where there is none."""
        return str(value) if value else ""


@dataclass(frozen=True, slots=True)
class SecretUrl(SecretText):
    """A URL that is a secret as a whole."""

    what: str = "URL, a secret"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The URL. The value is half a secret, so no message repeats it."""
        found = reader.secret(key, required=required)
        if found and not is_url(found.reveal()):
            reader.fault(key, f"{key} is not a URL of the kind http://host or https://host")
        return found
