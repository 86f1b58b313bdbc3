"""Internet addresses in lines and labels: `ip("192.168.0.1")`, ranges and CIDRs (Loki, "Matching IP addresses")."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address, ip_network

# What may be an address stands between characters that cannot be part of one.
_CANDIDATE = re.compile(r"[0-9a-fA-F:.]*[:.][0-9a-fA-F:.]*")


class AddressError(ValueError):
    """A pattern that is no address, range or CIDR."""


@lru_cache(256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """A test of one address, given as text; what is no address does not match."""
    try:
        if "/" in pattern:
            network = ip_network(pattern, strict=False)
            first, last = network[0], network[-1]
        else:
            low, dash, high = pattern.partition("-")
            first = ip_address(low)
            last = ip_address(high) if dash else first
    except ValueError:
        raise AddressError(f'ip: "{pattern}" is not an address, a range or a CIDR: invalid pattern') from None
    if first.version != last.version or int(first) > int(last):
        raise AddressError(f'ip: "{pattern}": the range does not go from a lower to a higher address: invalid pattern')
    version, least, most = first.version, int(first), int(last)

    def test(text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return address.version == version and least <= int(address) <= most

    return test


def line_has(pattern: str, line: str) -> bool:
    """Whether any address in the line matches."""
    test = matcher(pattern)
    for found in _CANDIDATE.finditer(line):
        text = found[0]
        # `10.0.0.1:8080` is an address with its port, `10.0.0.1.` one at the end of a sentence.
        if test(text) or test(text.strip(".:")) or (text.count(":") == 1 and test(text.partition(":")[0])):
            return True
    return False
