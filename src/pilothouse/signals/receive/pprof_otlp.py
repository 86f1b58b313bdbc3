"""OTLP profiles (opentelemetry.proto.profiles.v1development) to `Profile`s.

One dictionary of functions, locations and stacks serves all profiles of a request; a stack is leaf first.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from pilothouse.signals.anyvalue import to_json
from pilothouse.signals.errors import BadRequestError
from pilothouse.signals.profiles.model import Frames, Profile, SampleType, Stacks
from pilothouse.signals.receive.pprof_limits import ProfileLimits, within
from pilothouse.signals.receive.pprof_reading import checked_time
from pilothouse.signals.receive.pprof_types import type_of, unit_of

_TABLES = ("string", "function", "location", "mapping", "stack", "attribute", "link")
_LINE_MAX = 2**32 - 1
_INT64_MAX = 2**63 - 1


def read_otlp(body: bytes, is_json: bool, limits: ProfileLimits) -> list[Profile]:
    """All profiles of an ExportProfilesServiceRequest, or `BadRequestError` that names the wrong place."""
    from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
        ExportProfilesServiceRequest,
    )

    request = ExportProfilesServiceRequest()
    within(body, limits.unpacked_bytes, "body")
    try:
        if is_json:
            content = json.loads(body)
            if not isinstance(content, dict):
                raise ValueError("not a JSON object")
            json_format.ParseDict(_with_base64_ids(content), request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(body)
    except (DecodeError, json_format.ParseError, ValueError, RecursionError, TypeError, AttributeError) as error:
        reason = f": {error}"[:300] if is_json else ""
        raise BadRequestError(f"body: this is not an ExportProfilesServiceRequest{reason}", "body") from None
    dictionary = _Dictionary(request.dictionary, limits)
    return [
        dictionary.profile(profile, resource, _scope(of_scope.scope), where)
        for r, of_resource in enumerate(request.resource_profiles)
        for resource in [dictionary.resource(of_resource.resource, f"resource_profiles[{r}].resource")]
        for s, of_scope in enumerate(of_resource.scope_profiles)
        for p, profile in enumerate(of_scope.profiles)
        for where in [f"resource_profiles[{r}].scope_profiles[{s}].profiles[{p}]"]
    ]


class _Dictionary:
    """The tables of one request, checked: frames of each stack, labels of each attribute and link."""

    def __init__(self, tables: Any, limits: ProfileLimits) -> None:
        self._tables, self._limits = tables, limits
        for name in _TABLES:
            if len(getattr(tables, f"{name}_table")) > limits.records:
                raise BadRequestError(f"dictionary.{name}_table: more than {limits.records} of them")
        self._frames, self._of_location = self._read_locations()
        self._stacks = [self._stack(place, stack) for place, stack in enumerate(tables.stack_table)]
        if sum(map(len, self._stacks)) > limits.frames:
            raise BadRequestError(f"dictionary.stack_table: more than {limits.frames} frames")
        self._attributes = [self._attribute(place, one) for place, one in enumerate(tables.attribute_table)]

    def profile(self, message: Any, resource: dict[str, str], attributes: dict[str, str], where: str) -> Profile:
        """One profile as columns."""
        if len(message.samples) > self._limits.records:
            raise BadRequestError(f"{where}.samples: more than {self._limits.records} of them")
        kind, factor = self._kind(message, where)
        labels: dict[tuple[tuple[str, str], ...], int] = {(): 0}
        stack_of, labels_of, values = [], [], []
        for place, sample in enumerate(message.samples):
            at = f"{where}.samples[{place}]"
            stack_of.append(self._index(sample.stack_index, self._stacks, f"{at}.stack_index"))
            labels_of.append(labels.setdefault(self._labels(sample, at), len(labels)))
            values.append(_value(sample, at) * factor)
        if sum(values) > _INT64_MAX:
            raise BadRequestError(f"{where}.samples: the values add up to more than 64 bits hold")
        used = sorted(set(stack_of))
        place_of = {stack: place for place, stack in enumerate(used)}
        for index in message.attribute_indices:
            attributes = attributes | dict([self._of(index, f"{where}.attribute_indices")])
        return Profile(
            resource=resource, time=checked_time(message.time_unix_nano, self._limits, f"{where}.time_unix_nano"),
            duration=min(message.duration_nano, _INT64_MAX), types=(kind,), stacks=self._chosen(used),
            stack_of=np.array([place_of[stack] for stack in stack_of], np.int64),
            labels_of=np.array(labels_of, np.int64), label_sets=[dict(pairs) for pairs in labels],
            values=np.array(values, np.int64).reshape(-1, 1), attributes=attributes,
        )  # fmt: skip

    def _kind(self, message: Any, where: str) -> tuple[SampleType, int]:
        said, period = message.sample_type, message.period_type
        unit, factor = unit_of(self._text(said.unit_strindex, f"{where}.sample_type.unit_strindex"))
        name = type_of(self._text(said.type_strindex, f"{where}.sample_type.type_strindex"))
        period_type = self._text(period.type_strindex, f"{where}.period_type.type_strindex")
        period_unit = self._text(period.unit_strindex, f"{where}.period_type.unit_strindex")
        return SampleType(name, unit, message.period, period_type, period_unit), factor

    def _chosen(self, used: list[int]) -> Stacks:
        stacks = [self._stacks[place] for place in used]
        offsets = np.concatenate(([0], np.cumsum([len(stack) for stack in stacks]))).astype(np.int64)
        return Stacks(self._frames, np.array([frame for stack in stacks for frame in stack], np.int64), offsets)

    def _labels(self, sample: Any, where: str) -> tuple[tuple[str, str], ...]:
        pairs = [self._of(index, f"{where}.attribute_indices") for index in sample.attribute_indices]
        if sample.link_index:
            table = self._tables.link_table
            link = table[self._index(sample.link_index, table, f"{where}.link_index")]
            pairs += [("trace_id", link.trace_id.hex()), ("span_id", link.span_id.hex())]
        return tuple(sorted(dict(pairs).items()))

    def _of(self, index: int, where: str) -> tuple[str, str]:
        return self._attributes[self._index(index, self._attributes, where)]

    def _attribute(self, place: int, attribute: Any) -> tuple[str, str]:
        where = f"dictionary.attribute_table[{place}]"
        self._spell_out(attribute.value, f"{where}.value")
        return self._text(attribute.key_strindex, f"{where}.key_strindex"), text_of(attribute.value)

    def resource(self, message: Any, where: str) -> dict[str, str]:
        """Attributes of whoever was profiled; a sender may have put their texts into the dictionary (OTLP 1.10)."""
        for place, pair in enumerate(message.attributes):
            self._spell_out_pair(pair, f"{where}.attributes[{place}]")
        return {pair.key: text_of(pair.value) for pair in message.attributes}

    def _spell_out_pair(self, pair: Any, where: str) -> None:
        pair.key = pair.key or self._text(pair.key_strindex, f"{where}.key_strindex")
        self._spell_out(pair.value, f"{where}.value")

    def _spell_out(self, value: Any, where: str) -> None:
        match value.WhichOneof("value"):
            case "string_value_strindex":
                value.string_value = self._text(value.string_value_strindex, f"{where}.string_value_strindex")
            case "array_value":
                for item in value.array_value.values:
                    self._spell_out(item, where)
            case "kvlist_value":
                for pair in value.kvlist_value.values:
                    self._spell_out_pair(pair, where)

    def _stack(self, place: int, stack: Any) -> list[int]:
        where = f"dictionary.stack_table[{place}].location_indices"
        located = [self._of_location[self._index(index, self._of_location, where)] for index in stack.location_indices]
        return [frame for frames in located for frame in frames]

    def _read_locations(self) -> tuple[Frames, list[list[int]]]:
        known: dict[tuple[str, str, int, str, bool], int] = {}
        located = []
        for place, location in enumerate(self._tables.location_table):
            where = f"dictionary.location_table[{place}]"
            mapping = self._mapping(location, where)
            lines = [self._line(line, mapping, f"{where}.lines[{n}]") for n, line in enumerate(location.lines)]
            # All but the last line of a location were inlined into the one after them.
            frames = [(*line, place_of != len(lines) - 1) for place_of, line in enumerate(lines)]
            frames = frames or [(self._address(location), "", 0, mapping, False)]
            located.append([known.setdefault(frame, len(known)) for frame in frames])
        columns = [list(column) for column in zip(*known, strict=True)] if known else [[], [], [], [], []]
        functions, files, numbers, mappings, inlined = columns
        return Frames(functions, files, np.array(numbers, np.int64), mappings, np.array(inlined, np.bool_)), located

    def _line(self, line: Any, mapping: str, where: str) -> tuple[str, str, int, str]:
        table = self._tables.function_table
        function = table[self._index(line.function_index, table, f"{where}.function_index")]
        if not 0 <= line.line <= _LINE_MAX:
            raise BadRequestError(f"{where}.line: {line.line} is no line")
        name = self._text(function.name_strindex, "dictionary.function_table.name_strindex")
        system = self._text(function.system_name_strindex, "dictionary.function_table.system_name_strindex")
        file = self._text(function.filename_strindex, "dictionary.function_table.filename_strindex")
        return name or system or "?", file, line.line, mapping

    def _mapping(self, location: Any, where: str) -> str:
        table = self._tables.mapping_table
        if not location.mapping_index:
            return ""
        mapping = table[self._index(location.mapping_index, table, f"{where}.mapping_index")]
        return self._text(mapping.filename_strindex, "dictionary.mapping_table.filename_strindex")

    def _address(self, location: Any) -> str:
        """As for pprof: where the code is inside its file, which is the same in every process."""
        if not location.mapping_index:
            return f"{location.address:#x}"
        mapping = self._tables.mapping_table[location.mapping_index]
        name = self._text(mapping.filename_strindex, "mapping").rsplit("/", 1)[-1] or "unknown"
        return f"{name}+{(location.address - mapping.memory_start + mapping.file_offset) & (2**64 - 1):#x}"

    def _text(self, index: int, where: str) -> str:
        if index == 0:
            return ""
        text: str = self._tables.string_table[self._index(index, self._tables.string_table, where)]
        return text

    def _index(self, index: int, table: Any, where: str) -> int:
        if not 0 <= index < len(table):
            raise BadRequestError(f"{where}: {index} of {len(table)}")
        return index


def text_of(value: Any) -> str:
    """The text under which rows keep an AnyValue, the same as the engine makes of one."""
    match value.WhichOneof("value"):
        case None:
            return ""
        case "string_value":
            return str(value.string_value)
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "int_value":
            return str(value.int_value)
        case "double_value":
            return repr(value.double_value).removesuffix(".0")
        case "bytes_value":
            import base64

            return base64.b64encode(value.bytes_value).decode("ascii")
        case _:
            return to_json(value)


def _value(sample: Any, where: str) -> int:
    """The sum of a sample's values; timestamps alone count one each."""
    if sample.values and sample.timestamps_unix_nano and len(sample.values) != len(sample.timestamps_unix_nano):
        raise BadRequestError(f"{where}: {len(sample.values)} values for {len(sample.timestamps_unix_nano)} timestamps")
    if sample.values and min(sample.values) < 0:
        raise BadRequestError(f"{where}.values: negative: {min(sample.values)}")
    return sum(sample.values) if sample.values else len(sample.timestamps_unix_nano)


def _scope(scope: Any) -> dict[str, str]:
    return {f"otel.scope.{name}": text for name, text in (("name", scope.name), ("version", scope.version)) if text}


def _with_base64_ids(content: Any) -> Any:
    """OTLP's JSON writes ids in hexadecimal, where protobuf's JSON mapping expects Base64."""
    import base64

    if isinstance(content, dict):
        return {
            key: base64.b64encode(bytes.fromhex(value)).decode()
            if key in ("traceId", "spanId", "profileId", "trace_id", "span_id", "profile_id") and isinstance(value, str)
            else _with_base64_ids(value)
            for key, value in content.items()
        }
    return [_with_base64_ids(item) for item in content] if isinstance(content, list) else content
