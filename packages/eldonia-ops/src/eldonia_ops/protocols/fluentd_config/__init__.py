"""Fluentd's configuration, in its own form and in YAML, and our ``pipeline:`` keys: all to one tree of sections."""

from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.pipeline.section import Section
from eldonia_ops.protocols.fluentd_config.own_form import read_own_part
from eldonia_ops.protocols.fluentd_config.reader import MAX_BYTES, read_fluent_conf
from eldonia_ops.protocols.fluentd_config.surroundings import ConfigurationFiles, NoFiles, Surroundings
from eldonia_ops.protocols.fluentd_config.yaml_form import read_fluent_yaml

__all__ = [
    "MAX_BYTES",
    "ConfigurationFiles",
    "NoFiles",
    "Surroundings",
    "read_fluent_conf",
    "read_fluent_yaml",
    "read_own_part",
    "read_pipeline_file",
]


def read_pipeline_file(data: bytes, file: str, surroundings: Surroundings, problems: list[Diagnostic]) -> Section:
    """The sections of a file in either of Fluentd's forms, by its name: ``.yml`` and ``.yaml`` are YAML."""
    read = read_fluent_yaml if file.endswith((".yml", ".yaml")) else read_fluent_conf
    return read(data, file, surroundings, problems)
