"""What there is to watch on this machine: facts that are gathered, and the settings that follow from them."""

from eldonia_ops.discovery.facts import Facts
from eldonia_ops.discovery.gather import gather
from eldonia_ops.discovery.proposal import Proposal, propose
from eldonia_ops.discovery.settings_text import settings_text

__all__ = ["Facts", "Proposal", "gather", "propose", "settings_text"]
