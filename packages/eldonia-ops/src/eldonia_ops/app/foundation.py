"""What every profile is built on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.notifiers.registry import NotifierKinds, installed
from eldonia_ops.ports import Clock, StateStore
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.loops import Loops


@dataclass(frozen=True, slots=True)
class Foundation:
    """An opened state store, the configuration of the start, and what all modules share. ``client`` reaches the far
    sides of notifications; a simulation has none. ``kinds`` are the notifiers, those of plug-ins among them."""

    configuration: Configuration
    environment: Mapping[str, str]
    state: StateStore
    client: httpx.AsyncClient | None
    clock: Clock = field(default_factory=SystemClock)
    loops: Loops = field(default_factory=Loops)
    kinds: NotifierKinds = field(default_factory=installed)
