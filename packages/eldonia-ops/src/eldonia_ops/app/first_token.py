"""The admin token of a data folder, made before the first start."""

from pathlib import Path

from eldonia_ops.app.data_directory import held_folder, own_folder
from eldonia_ops.app.platform import ADMIN_TOKEN_FILE
from eldonia_ops.services.access.tokens import AccessService
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.settings import Settings
from eldonia_ops.storage.state import open_state_store


async def make_first_token(settings: Settings) -> tuple[bool, Path]:
    """Make the token where there is none: whether it is new, and the file that holds it.

    A platform that listens beyond its own machine needs one before it starts.

    Raises:
        ConfigError: a platform has the folder open, or it cannot be used.
        StateError: the state cannot be opened.
    """
    own_folder(settings.data)
    file = settings.data / ADMIN_TOKEN_FILE
    with held_folder(settings.data):
        state = await open_state_store(settings.state.reveal())
        try:
            made = await AccessService(SystemClock(), state).ensure_admin(file)
        finally:
            await state.close()
    return made is not None, file
