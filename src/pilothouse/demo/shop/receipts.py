"""Receipts: drawn for an 80 mm printer, and kept for a reprint."""

from collections import OrderedDict

DOTS_PER_CHARACTER, ROWS_PER_LINE, CHARACTERS = 12, 24, 48
LINES_AT_LEAST = 20


def draw(lines: list[str], density: int) -> bytes:
    """A bitmap of one byte a dot, 576 dots wide and 24 dots a line: about 275 kB for 20 lines.

    density: 1 for 203 dots an inch; 2 for 406, which takes four times the bytes.
    """
    padded = lines + [""] * (LINES_AT_LEAST - len(lines))
    return b"".join(_row(line, density) * ROWS_PER_LINE * density for line in padded)


def _row(line: str, density: int) -> bytes:
    text = line[:CHARACTERS].ljust(CHARACTERS).encode("ascii", "replace")
    return b"".join(bytes([255 - code]) * DOTS_PER_CHARACTER * density for code in text)


class ReceiptArchive:
    """The last receipts, by order, at most `kept` of them."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._receipts: OrderedDict[str, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._receipts)

    def keep(self, order: str, receipt: bytes) -> None:
        """Keeps a receipt, and forgets the oldest one when there are too many."""
        self._receipts[order] = receipt
        if len(self._receipts) > self._kept:
            self._receipts.popitem(last=False)
