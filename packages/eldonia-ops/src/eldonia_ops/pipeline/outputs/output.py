"""What every output of the pipeline declares."""

from dataclasses import dataclass, field

from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.inject import Inject
from eldonia_ops.pipeline.section import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where events go: the settings of one ``<match>``, ``<store>`` or ``<secondary>``. A plain value with ``==``.

    ``id`` is ``@id``, or a name that follows from the type and the place. ``buffer`` None: what is written goes on at
    once, and the one who writes waits for it. ``secondary`` takes chunks that were given up. ``inject`` are fields that
    are added to each record.
    """

    type: str
    id: str = ""
    place: Place = field(default=Place(), compare=False)
    buffer: BufferSettings | None = None
    secondary: "Output | None" = None
    inject: Inject | None = None

    @property
    def summary(self) -> str:
        """What is written where, in a few words for people; without secrets."""
        return self.type
