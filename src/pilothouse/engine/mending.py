"""Text that is not UTF-8: a ClickHouse String holds any bytes, an Arrow string may not.

What the door lets in is UTF-8, but an odd message may be read by ClickHouse otherwise than by the door, and one such
row must not make every answer with it unreadable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def mended(table: pa.Table) -> pa.Table:
    """The table itself when all its text is UTF-8; otherwise one with U+FFFD in place of what is not."""
    import pyarrow as pa

    try:
        table.validate(full=True)
        return table
    except pa.ArrowInvalid:
        columns = [_mended(column.combine_chunks()) for column in table.columns]
        return pa.table(columns, names=table.column_names)


def _mended(array: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_string(array.type):
        texts = array.cast(pa.binary()).to_pylist()
        return pa.array([text if text is None else text.decode(errors="replace") for text in texts], pa.string())
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(array.indices, _mended(array.dictionary))
    if pa.types.is_map(array.type):
        return pa.MapArray.from_arrays(array.offsets, _mended(array.keys), _mended(array.items))
    if pa.types.is_list(array.type):
        return pa.ListArray.from_arrays(array.offsets, _mended(array.values))
    if pa.types.is_struct(array.type):
        fields = [array.type.field(place).name for place in range(array.type.num_fields)]
        return pa.StructArray.from_arrays([_mended(array.field(place)) for place in range(len(fields))], fields)
    return array
