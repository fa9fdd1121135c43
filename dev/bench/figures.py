"""What is measured: lines of the table, and the figures that each reaches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev.bench.place import Grounds

#: Starts the servers at the first call; later calls answer the same.
type Start = Callable[[], "Grounds"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a line. `most` None: shown for information, judged by nobody."""

    what: str
    reached: float
    most: float | None = None
    unit: str = ""
    decimals: int = 0
    detail: str = ""  #: what the number is made of
    of: str = ""  #: whose number it is, where a line measures several; they are shown side by side

    @property
    def name(self) -> str:
        """What was counted, and whose."""
        return f"{self.of}: {self.what}" if self.of else self.what

    @property
    def is_fine(self) -> bool:
        """Whether it stays within what is allowed."""
        return self.most is None or self.reached <= self.most

    def text(self, number: float) -> str:
        """A number as it is shown."""
        return f"{number:,.{self.decimals}f}{f' {self.unit}' if self.unit else ''}"


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of work. `measure` shares its servers with other lines and must not mind what they did there."""

    name: str  #: for ONLY=
    work: str  #: in words
    measure: Callable[[Start], Sequence[Figure]]
