"""Access tokens and what each role may do with them."""

from eldonia_ops.access.capabilities import Capability, permits
from eldonia_ops.access.tokens import (
    RANDOM_BYTES,
    AccessError,
    NewToken,
    digest_of,
    matching_token,
    new_token,
    parse_role,
    well_formed,
)

__all__ = [
    "RANDOM_BYTES",
    "AccessError",
    "Capability",
    "NewToken",
    "digest_of",
    "matching_token",
    "new_token",
    "parse_role",
    "permits",
    "well_formed",
]
