"""``@type copy``: each event goes to several outputs."""

from dataclasses import dataclass

from eldonia_ops.pipeline.outputs.output import Output


@dataclass(frozen=True, slots=True)
class CopyStore:
    """One ``<store>``. ``ignore_error``: a failure of it does not keep the event from being acknowledged.
    ``ignore_if_prev_success``: it is only written to when those before it have failed."""

    output: Output
    ignore_error: bool = False
    ignore_if_prev_success: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOutput(Output):
    """https://docs.fluentd.org/output/copy. A store may be a ``relabel``. Records are never changed in place, so
    ``copy_mode`` has nothing to do here."""

    type: str = "copy"
    stores: tuple[CopyStore, ...] = ()

    @property
    def summary(self) -> str:
        """What is written where."""
        return "; ".join(store.output.summary for store in self.stores)
