"""The rows of metrics.csv: what logx writes and sumx reads (see decoding), one record a row.

A row is a phase and then names and values in turn, ended by the epoch and the time:

    start,start/step,0,timestamp,1731.0
    val,acc,91.2,loss,0.3,epoch,3,timestamp,1731.2
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    Number: TypeAlias = "bool | int | float"
    Metric: TypeAlias = "bool | int | float | str"

TORN = b",\n"
"""What a writer ends a torn row with: the empty last field says that the row is not whole."""


class Record:
    """One row: its phase, what was measured, at which epoch and when.

    >>> Record("val", {"acc": 91.2}, epoch=3)
    Record('val', {'acc': 91.2}, epoch=3, timestamp=None)
    """

    __slots__ = ("epoch", "metrics", "phase", "timestamp")

    def __init__(
        self,
        phase: str,
        metrics: dict[str, Metric],
        epoch: int | float | None = None,
        timestamp: float | None = None,
    ) -> None:
        self.phase = phase
        self.metrics = metrics
        self.epoch = epoch
        self.timestamp = timestamp

    def __repr__(self) -> str:
        return (
            f"Record({self.phase!r}, {self.metrics!r}, "
            f"epoch={self.epoch!r}, timestamp={self.timestamp!r})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def encode(
    phase: str,
    metrics: Mapping[str, Metric],
    epoch: int | float | None = None,
    timestamp: float | None = None,
) -> str:
    r"""Write one row, newline included.

    >>> encode("val", {"acc": 91.2, "loss": 0.3}, 3, 1731.2)
    'val,acc,91.2,loss,0.3,epoch,3,timestamp,1731.2\n'
    """
    fields = [phase]
    for name, value in metrics.items():
        fields += (name, str(value))
    if epoch is not None:
        fields += ("epoch", str(epoch))
    if timestamp is not None:
        fields += ("timestamp", str(timestamp))
    row = ",".join(fields)
    # Looking at the finished row is much cheaper than looking at every field.
    if row.count(",") >= len(fields) or not _plain(row) or row[-1:] in ("", ","):
        row = ",".join(map(quoted, fields))
    return row + "\n"


def quoted(field: str) -> str:
    """Quote a field if CSV needs that; NUL, which no reader survives, is left out.

    >>> quoted('top "5", %')
    '"top ""5"", %"'
    """
    field = field.replace("\0", "")
    if field and "," not in field and _plain(field):
        return field
    return '"' + field.replace('"', '""') + '"'


def _plain(text: str) -> bool:
    return not ('"' in text or "\n" in text or "\r" in text or "\0" in text)
