"""What the routes of Elasticsearch's API share, and how one is declared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request

from eldonia_ops.protocols.elasticsearch.bound_pipelines import bindings, bound_pipelines
from eldonia_ops.protocols.elasticsearch.catalog import Catalog
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.elasticsearch.index_names import Options, options_of
from eldonia_ops.search.tree import Node, conjunction
from eldonia_ops.services.api import Platform
from eldonia_ops.services.elasticsearch.documents import DocumentService
from eldonia_ops.services.elasticsearch.index_catalog import IndexCatalog
from eldonia_ops.web.access import Permission, allows
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.compat.elasticsearch.answers import Endpoint
from eldonia_ops.web.heavy import HeavyWork
from eldonia_ops.web.intake import PlatformSinks
from eldonia_ops.web.limits import RequestLimits

VERSION: Final = "8.19.0"
"""The version that clients are answered: they only ask whether it is new enough. Ours would be taken for an old one."""

DEFAULTS: Final = Options()


class ElasticsearchHost:
    """The API of one platform. Listeners share it."""

    def __init__(
        self, platform: Platform, sinks: PlatformSinks, limits: RequestLimits, heavy: HeavyWork, others: str
    ) -> None:
        self.platform = platform
        self.limits = limits
        self.heavy = heavy
        self.catalog = IndexCatalog(platform.state, platform.now, others)
        self.documents = DocumentService(platform.ingest, platform.telemetry.logs, self.catalog, sinks)

    @property
    def others(self) -> str:
        """The index of records that came by other ways."""
        return self.catalog.others

    def now(self) -> int:
        """Unix milliseconds."""
        return self.platform.now()

    async def concrete(self, request: Request, expression: str, default: Options = DEFAULTS) -> tuple[str, ...]:
        """The indices that an expression of a request means, by its parameters.

        Raises:
            ElasticsearchError: a name that is not there, or cannot be read.
        """
        catalog = await self.catalog.current()
        return self.named(catalog, request, expression, default)

    async def meant(self, request: Request, expression: str, default: Options = DEFAULTS) -> Node:
        """The records that an expression of a request means.

        Raises:
            ElasticsearchError: a name that is not there, or cannot be read.
        """
        catalog = await self.catalog.current()
        meant = catalog.meant(expression, self.now(), options_of(request.query_params, default))
        return conjunction([node] if (node := meant.node(self.now() * 1_000_000)) is not None else [])

    def named(
        self, catalog: Catalog, request: Request, expression: str, default: Options = DEFAULTS
    ) -> tuple[str, ...]:
        """The same in a catalog that is at hand.

        Raises:
            ElasticsearchError: a name that is not there, or cannot be read.
        """
        return catalog.concrete(expression, self.now(), options_of(request.query_params, default))


def may(request: Request, demand: Permission) -> bool:
    """Whether the caller may do more than the address asks for."""
    return allows(caller_of(request).role, demand)


def author_of(request: Request) -> str:
    """Who changes what is declared: "" for one who may change all of it, else the id of one who may change only what
    they made themselves."""
    return "" if may(request, Permission.ADMINISTER) else caller_of(request).id


def check_deletion(request: Request, catalog: Catalog, settings: Mapping[str, Any]) -> None:
    """Refuse flat settings of an index or a template by which documents would be deleted, to who may not delete.

    Raises:
        ElasticsearchError: they name a policy that deletes.
    """
    if (policy := catalog.deleting_policy(settings)) and not may(request, Permission.ADMINISTER):
        raise refused_deletion(f"the policy [{policy}]")


def check_bindings(request: Request, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Refuse flat settings by which documents of others go through another pipeline, to who may not do that.

    Raises:
        ElasticsearchError: the default or the final pipeline would be another.
    """
    if bindings(before) != bindings(after) and not may(request, Permission.ADMINISTER):
        raise refused_binding("the default or final pipeline of an index")


def check_pipeline(request: Request, catalog: Catalog, name: str) -> None:
    """Refuse a change of a pipeline that documents of others go through, to who may not do that.

    Raises:
        ElasticsearchError: indices or templates name it.
    """
    if name in bound_pipelines(catalog) and not may(request, Permission.ADMINISTER):
        raise refused_binding(f"the pipeline [{name}], which is the default or final one of an index,")


def refused_binding(what: str) -> ElasticsearchError:
    """What changes the documents of all senders takes an admin."""
    reason = f"{what} changes what others send: that takes a token of the role admin"
    return ElasticsearchError(403, "security_exception", reason)


def refused_deletion(what: str) -> ElasticsearchError:
    """What deletes documents takes an admin, whether by a request or by a policy."""
    reason = f"{what} deletes documents, which takes a token of the role admin: put it with one"
    return ElasticsearchError(403, "security_exception", reason)


def refused_alias(alias: str) -> ElasticsearchError:
    """An alias of others is not changed by a token that only writes."""
    reason = f"the alias [{alias[:100]}] was not made with this token: to change it takes a token of the role admin"
    return ElasticsearchError(403, "security_exception", reason)


@dataclass(frozen=True, slots=True)
class EsRoute:
    """An address. ``demand``: who has any token may ask how things are set up, documents take ``READ`` and ``INGEST``,
    and what deletes many of them ``ADMINISTER``."""

    methods: tuple[str, ...]
    path: str
    endpoint: Endpoint
    demand: Permission = Permission.SIGNED_IN


RoutesOf = Callable[[ElasticsearchHost], Sequence[EsRoute]]


class _Names(Convertor[str]):
    """The part of a path with names of indices: date math (``<logs-{now/d}>``) has slashes, too."""

    regex = r"(?:<[^<>]*>|[^/<>])+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("indices", _Names())
