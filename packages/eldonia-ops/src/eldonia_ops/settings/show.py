"""The settings that apply, as the file that would say them all. Secrets are masked."""

from typing import Final

import yaml

from eldonia_ops.model.concealed import Concealed
from eldonia_ops.settings.document import Settings
from eldonia_ops.settings.objects import plain_section

_VARIABLE: Final = "\ue000{"
"""Written in place of the ``${`` of a variable that is shown, until plain ones are escaped."""


def effective_settings(settings: Settings) -> str:
    """All settings as YAML, defaults included. Without a secret among them the text loads to the same settings.

    A secret reads ``<secret>``. In texts that people put credentials into (URLs, commands, headers) what came from the
    environment reads as the variable that it came from.
    """
    from_environment = settings.concealed.variables()
    found = plain_section(settings, lambda text: _cleaned(text, from_environment))
    return yaml.safe_dump(_escaped(found), sort_keys=False, allow_unicode=True, width=120)


def _cleaned(text: str, concealed: Concealed) -> str:
    cleaned = concealed.clean(text)
    return text if cleaned == text else cleaned.replace("${", _VARIABLE)


def _escaped(value: object) -> object:
    """A plain ``${`` would be taken for a variable when the text is read again."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace(_VARIABLE, "${")
    if isinstance(value, dict):
        return {key: _escaped(one) for key, one in value.items()}
    return [_escaped(one) for one in value] if isinstance(value, list) else value
