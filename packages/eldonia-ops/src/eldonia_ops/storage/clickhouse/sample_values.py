"""Which samples the tables of this store can hold."""

from collections.abc import Mapping, Sequence

from eldonia_ops.model.samples import AnySample, Sample

HISTOGRAMS_REFUSED = "native histograms are not stored"


def floats_of(samples: Sequence[AnySample]) -> tuple[Sequence[Sample], Mapping[str, int]]:
    """The samples with floats, and how many others were refused, by reason."""
    floats = [sample for sample in samples if isinstance(sample, Sample)]
    refused = len(samples) - len(floats)
    return floats, {HISTOGRAMS_REFUSED: refused} if refused else {}
