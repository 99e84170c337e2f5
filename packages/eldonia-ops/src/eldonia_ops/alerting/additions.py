"""Receivers beside those of a routing file, each with a route of its own. Pure.

Their routes come before the tree and go on to it: receivers of the file are notified as before. So the new
root has them as children, and the tree as a whole as the last; the tree's routes keep their ids, and so their groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from eldonia_ops.alerting.receivers import Receiver, obstacle
from eldonia_ops.alerting.route import Route
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.model.matchers import Matcher

_ROOT: Final = "{}+managed"


@dataclass(frozen=True, slots=True)
class AddedReceiver:
    """A receiver, and which alerts it wants: those that all ``matchers`` match."""

    receiver: Receiver
    matchers: tuple[Matcher, ...] = ()


def with_receivers(routing: Routing, added: Sequence[AddedReceiver], *, in_place: bool) -> Routing:
    """The routing with further receivers.

    With ``in_place`` they also take the place of receivers that cannot be notified of anything: routes to those are
    left out, and the default receiver becomes the first of ``added`` that wants every alert. So it is with the shipped
    routing, whose receivers need variables of the environment.
    """
    if not added:
        return routing
    tree = _without_lacking(routing, added) if in_place else routing.route
    receivers = {**routing.receivers, **{one.receiver.name: one.receiver for one in added}}
    is_default = any(one.receiver.name == tree.receiver for one in added)
    if is_default and len(added) == 1 and not tree.routes:
        return replace(routing, route=tree, receivers=receivers)
    # An added default receiver has a route like the others, which takes everything: only the tree's routes follow.
    routes = (*(_route(tree, one) for one in added), *(tree.routes if is_default else (tree,)))
    return replace(routing, route=replace(tree, id=_ROOT, routes=routes), receivers=receivers)


def _route(tree: Route, added: AddedReceiver) -> Route:
    name = added.receiver.name
    return replace(
        tree,
        id=f"{_ROOT}/{name}",
        key=f"{{}}/{{managed={name!r}}}",
        receiver=name,
        matchers=added.matchers,
        continues=True,
        routes=(),
        line=0,
    )


def _without_lacking(routing: Routing, added: Sequence[AddedReceiver]) -> Route:
    def lacks(name: str) -> bool:
        integrations = routing.receivers[name].integrations
        return bool(integrations) and all(obstacle(one.config) for one in integrations)

    tree = routing.route
    routes = tuple(one for one in tree.routes if not lacks(one.receiver))
    default = next((one.receiver.name for one in added if not one.matchers), tree.receiver)
    return replace(tree, routes=routes, receiver=default if lacks(tree.receiver) else tree.receiver)
