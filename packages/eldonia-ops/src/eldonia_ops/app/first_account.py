"""Accounts in a data folder that no platform has open, above all the first admin."""

from eldonia_ops.app.data_directory import held_folder, own_folder
from eldonia_ops.model.access import Account, Role
from eldonia_ops.services.access.accounts import AccountService
from eldonia_ops.services.access.principals import Principals
from eldonia_ops.services.api.people import NewLink
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.settings import Settings
from eldonia_ops.storage.state import open_state_store


async def make_account(
    settings: Settings, name: str, role: Role, *, display: str = "", mail: str = "", password: str = ""
) -> tuple[Account, NewLink | None]:
    """Make an account; without a password with a one-time link, which works once a platform runs.

    Raises:
        AccessError, RefusedError: it cannot be made so.
        ConfigError: a platform has the folder open, or it cannot be used.
        StateError: the state cannot be opened.
    """
    own_folder(settings.data)
    with held_folder(settings.data):
        state = await open_state_store(settings.state.reveal())
        clock = SystemClock()
        accounts = AccountService(clock, state, Principals(clock, state))
        try:
            return await accounts.create(name, role, display=display, mail=mail, password=password)
        finally:
            accounts.close()
            await state.close()
