"""Pyroscope's `push.v1.PusherService/Push`: pprof profiles with labels, as a Connect call in protobuf or JSON."""

from __future__ import annotations

from dataclasses import replace

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.messages import message_classes
from pilothouse.signals.profiles.model import Profile
from pilothouse.signals.receive.pprof_labels import sender_of
from pilothouse.signals.receive.pprof_limits import ProfileLimits, inflated
from pilothouse.signals.receive.pprof_reading import read_pprof

_TEXT = """
message LabelPair { string name = 1; string value = 2; }
message RawSample { bytes raw_profile = 1; string ID = 2; }
message RawProfileSeries { repeated LabelPair labels = 1; repeated RawSample samples = 2; }
message PushRequest { repeated RawProfileSeries series = 1; }
"""
PushRequest = message_classes("pilothouse.push", _TEXT)["PushRequest"]
_MAX_PROFILES = 1000


def read_push(body: bytes, is_json: bool, limits: ProfileLimits) -> list[Profile]:
    """All profiles of one call, or `BadRequestError`; a call is taken as a whole or not at all."""
    request = PushRequest()
    try:
        if is_json:
            json_format.Parse(body, request, ignore_unknown_fields=True, max_recursion_depth=20)
        else:
            request.ParseFromString(body)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        reason = f": {error}" if is_json else ""
        raise BadRequestError(f"body: this is not a push.v1.PushRequest{reason}", "body") from None
    if sum(len(series.samples) for series in request.series) > _MAX_PROFILES:
        raise BadRequestError(f"series: more than {_MAX_PROFILES} profiles in one call", "series")
    profiles, room = [], limits.unpacked_bytes
    for place, series in enumerate(request.series):
        labels = ((label.name, label.value) for label in series.labels)
        sender = sender_of(labels, f"series[{place}].labels")
        for number, sample in enumerate(series.samples):
            where = f"series[{place}].samples[{number}].raw_profile"
            # All profiles of a call share one limit, or many small ones could unpack to anything.
            plain = inflated(sample.raw_profile, replace(limits, unpacked_bytes=room), where)
            room -= len(plain)
            profiles.append(read_pprof(plain, sender, limits, where))
    return profiles
