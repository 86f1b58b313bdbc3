"""Pyroscope's `/ingest`: one profile in one of several formats, described by the query's parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Profile, SampleType
from pilothouse.signals.receive.pprof_delta import difference
from pilothouse.signals.receive.pprof_folded import read_folded
from pilothouse.signals.receive.pprof_forms import boundary_of, parts_of
from pilothouse.signals.receive.pprof_labels import parse_name, sender_of
from pilothouse.signals.receive.pprof_limits import GZIP, ProfileLimits
from pilothouse.signals.receive.pprof_perf import read_perf
from pilothouse.signals.receive.pprof_reading import Sender, read_pprof
from pilothouse.signals.receive.pprof_speedscope import read_speedscope
from pilothouse.signals.receive.pprof_trie import read_trie
from pilothouse.signals.receive.pprof_types import type_of, unit_of

_COUNTED = ("", "folded", "collapsed", "groups")
_UNKNOWN = {
    "jfr": "send pprof (async-profiler writes it with `jfrconv --pprof`)",
}


@dataclass(frozen=True, slots=True)
class Ingest:
    """The parameters of one call, checked."""

    family: str
    sender: Sender
    format: str
    sample_rate: int
    units: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Ingest:
        """From the query; raises `BadRequestError` that names the parameter."""
        if not query.get("name"):
            raise BadRequestError(
                "name: this parameter is needed, for example name=shop{service_version=1.0.0}", "name"
            )
        family, labels = parse_name(query["name"])
        sender = sender_of(
            [*labels, ("pyroscope_spy", query.get("spyName", ""))],
            "name",
            _instant(query, "from"),
            _instant(query, "until"),
        )
        if sender.end and sender.start > sender.end:
            raise BadRequestError("until: is before from", "until")
        rate = query.get("sampleRate", "100")
        if not (rate.isascii() and rate.isdigit() and 0 < int(rate[:9]) <= 1_000_000):
            raise BadRequestError(f"sampleRate: {rate[:40]!r} is not between 1 and 1000000", "sampleRate")
        return cls(family, sender, query.get("format", "").lower(), int(rate), query.get("units", ""))


def read_ingest(query: Mapping[str, str], content_type: str, body: bytes, limits: ProfileLimits) -> Profile:
    """The profile of one call, or `BadRequestError`."""
    call = Ingest.of(query)
    if boundary := boundary_of(content_type):
        return _read_form(call, parts_of(body, boundary), limits)
    if call.format == "pprof" or (not call.format and body[:2] == GZIP):
        return read_pprof(body, replace(call.sender, family=call.family), limits, "body")
    if call.format in _COUNTED or call.format == "lines":
        kind, factor = _folded_type(call)
        return read_folded(body, call.format != "lines", kind, factor, call.sender, limits)
    if call.format in ("trie", "tree"):
        kind, factor = _folded_type(call)
        return read_trie(body, call.format == "tree", kind, factor, call.sender, limits)
    if call.format in ("perf", "perf_script"):
        kind, factor = _folded_type(call)
        return read_perf(body, kind, factor, call.sender, limits)
    if call.format == "speedscope":
        return read_speedscope(body, call.family, call.sender, limits)
    advice = _UNKNOWN.get(call.format, "pprof, folded, groups, lines, trie, tree, perf_script and speedscope are")
    raise BadRequestError(f"format: {call.format[:40]!r} is not understood; {advice}", "format")


def _read_form(call: Ingest, parts: Mapping[str, bytes], limits: ProfileLimits) -> Profile:
    if "jfr" in parts:
        raise BadRequestError(f"format: 'jfr' is not understood; {_UNKNOWN['jfr']}", "format")
    if "profile" not in parts:
        raise BadRequestError("profile: the form has no such part", "profile")
    config = _sample_types(parts.get("sample_type_config"))
    sender = replace(call.sender, family=_family(call, config))
    profile = read_pprof(parts["profile"], sender, limits, "profile")
    cumulative = {type_of(name, sender.family) for name, said in config.items() if said.get("cumulative")}
    if parts.get("prev_profile") and cumulative:
        before = read_pprof(parts["prev_profile"], sender, limits, "prev_profile")
        return difference(profile, before, cumulative)
    return profile


def _sample_types(content: bytes | None) -> dict[str, dict[str, Any]]:
    """`{"alloc_space": {"units": "bytes", "cumulative": true, ...}, ...}`"""
    field = "sample_type_config"
    try:
        config = json.loads(content) if content else {}
    except (ValueError, RecursionError):
        raise BadRequestError(f"{field}: not JSON", field) from None
    if not isinstance(config, dict) or not all(isinstance(said, dict) for said in config.values()):
        raise BadRequestError(f"{field}: wanted an object of objects", field)
    return config


def _family(call: Ingest, config: Mapping[str, Mapping[str, Any]]) -> str:
    shown = [str(said.get("display-name", "")) for said in config.values()]
    return next((family for family in ("mutex", "block") if any(one.startswith(family) for one in shown)), call.family)


def _folded_type(call: Ingest) -> tuple[SampleType, int]:
    """Counts of a sampling profiler become the time that they stand for, so that they compare with other profilers."""
    name = type_of(call.family or "cpu")
    period = 1_000_000_000 // call.sample_rate
    if name in ("cpu", "wall") and call.units in ("", "samples"):
        return SampleType(name, "ns", period, name, "nanoseconds"), period
    unit, factor = unit_of(call.units)
    return SampleType(name, unit), factor


def _instant(query: Mapping[str, str], field: str) -> int:
    """Nanoseconds of Unix seconds, milliseconds, microseconds or nanoseconds: clients differ, the size tells."""
    text = query.get(field, "")
    if not text:
        return 0
    whole = text.partition(".")[0]
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 19):
        raise BadRequestError(f"{field}: {text[:40]!r} is not a Unix time", field)
    number = int(whole)
    while 0 < number < 10**17:
        number *= 1000 if number >= 10**11 else 10**9
    return number
