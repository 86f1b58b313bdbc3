"""A data point's attributes from the bytes of each: the protobuf message KeyValue, read in SQL."""

from __future__ import annotations


def pairs_sql(attributes: str) -> str:
    """SQL for an array of keys with their AnyValue bytes, from an array of KeyValue bytes in canonical form.

    Field 1 is the key, field 2 the value, each with its length as a varint before it; either may be left out.
    """
    is_long = "(ascii(substring(a, 2, 1)) > 127)"
    size = f"if{is_long[:-1]}, bitAnd(ascii(substring(a, 2, 1)), 127) + 128 * ascii(substring(a, 3, 1)), "
    size += "ascii(substring(a, 2, 1)))"
    keyed = f"arrayMap(a -> if(startsWith(a, '\\x0A'), (3 + {is_long}, {size}, a), (1, 0, a)), {attributes})"
    key = "substring(k.3, k.1, k.2)"
    rest = "substring(k.3, k.1 + k.2)"
    head = f"2 + (length({rest}) > 129) + (length({rest}) > 16386) + (length({rest}) > 2097155)"
    pairs = f"arrayMap(k -> ({key}, substring({rest}, 1 + {head})), {keyed})"
    return f"CAST({pairs}, 'Array(Tuple(key String, value String))')"
