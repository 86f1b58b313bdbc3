"""A data point's attributes from the bytes of each: the protobuf message KeyValue, read in SQL."""

from __future__ import annotations


def pairs_sql(attributes: str) -> str:
    """SQL for an array of keys with their AnyValue bytes, from an array of KeyValue bytes in canonical form.

    Field 1 is the key, field 2 the value, each with its length as a varint before it; either may be left out.
    """
    # Four bytes hold the length of whatever fits into a request.
    byte = [f"ascii(substring(a, {place}, 1))" for place in (2, 3, 4, 5)]
    goes_on = ["(" + " AND ".join(f"{one} > 127" for one in byte[:count]) + ")" for count in (1, 2, 3)]
    parts = [f"bitAnd({byte[0]}, 127)"]
    parts += [
        f"if({more}, bitAnd({one}, 127) * {128**place}, 0)"
        for place, (more, one) in enumerate(zip(goes_on, byte[1:], strict=True), 1)
    ]
    begin, size = f"3 + {' + '.join(goes_on)}", " + ".join(parts)
    keyed = f"arrayMap(a -> if(startsWith(a, '\\x0A'), ({begin}, {size}, a), (1, 0, a)), {attributes})"
    key = "substring(k.3, k.1, k.2)"
    rest = "substring(k.3, k.1 + k.2)"
    head = f"2 + (length({rest}) > 129) + (length({rest}) > 16386) + (length({rest}) > 2097155)"
    pairs = f"arrayMap(k -> ({key}, substring({rest}, 1 + {head})), {keyed})"
    return f"CAST({pairs}, 'Array(Tuple(key String, value String))')"
