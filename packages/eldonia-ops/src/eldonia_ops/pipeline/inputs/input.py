"""What every input of the pipeline declares."""

from dataclasses import dataclass, field

from eldonia_ops.pipeline.section import Place
from eldonia_ops.pipeline.tag_pattern import TagPattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Where events come from: the settings of one ``<source>``.

    ``label`` is where its events begin, '' for the top. ``tags`` takes the tags that its events can have; None: any.
    ``tags_shown`` says the same for people.
    """

    type: str
    id: str = ""
    label: str = ""
    place: Place = field(default=Place(), compare=False)
    tags: TagPattern | None = field(default=None, compare=False)
    tags_shown: str = "any tag"

    @property
    def summary(self) -> str:
        """What is read, in a few words for people."""
        return self.type
