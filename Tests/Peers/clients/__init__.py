"""One face for every outside client: produce to a partition, consume by assignment, look up offsets, administer.

Each module wraps one library (or kcat) without hiding what it does on the wire. `catalog` lists them all, the old
versions in environments of their own included.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, Optional, Tuple


class Message(NamedTuple):
    """A record as a client hands it out, or (without offset) as it is to be sent."""

    value: Optional[bytes]
    key: Optional[bytes] = None
    headers: Tuple[Tuple[str, bytes], ...] = ()
    timestamp: Optional[int] = None
    offset: Optional[int] = None
    partition: int = 0
    topic: str = ""


@dataclass
class Options:
    """How to produce. `more` goes to the library as it is."""

    codec: Optional[str] = None
    acks: object = "all"
    idempotent: bool = False
    more: dict = field(default_factory=dict)


TIMEOUT_SECONDS = 60
