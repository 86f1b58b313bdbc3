"""Numbers are written as Go writes them, by C as by Python."""

from __future__ import annotations

import json
import random
import struct

import numpy as np
import pytest

from pilothouse.signals.metrics.prometheus import answering
from pilothouse.signals.metrics.promql.annotations import Annotations
from pilothouse.signals.metrics.promql.engine import Value
from pilothouse.signals.metrics.promql.labels import labels_of
from pilothouse.signals.metrics.promql.matrix import Matrix
from pilothouse.signals.metrics.promql.numbers import format_f

pytestmark = pytest.mark.skipif(answering.native is None, reason="native/json_points.c was not compiled (no compiler)")


def _value(numbers: np.ndarray, present: np.ndarray) -> Value:
    rows, steps = numbers.shape
    labels = [labels_of({"__name__": "tide", "pier": f'"{row}"\n', "ö": "\ud800"[: row % 2]}) for row in range(rows)]
    times = np.arange(steps, dtype=np.int64) * 1500 - 3000
    return Value("matrix", times, Annotations(), Matrix(labels, numbers, present, None, np.zeros(rows, bool)))


def test_c_writes_what_python_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(4)
    numbers = [0.0, -0.0, 1.0, -1.5, 1e15, 1e16, 1e17, 1.2345678901234567e22, -9e99, 1.7976931348623157e308, 5e-324,
               -2.5e-7, 1e-5, 0.0001, 123456789.125, float("nan"), float("inf"), float("-inf"), 2.0**53]  # fmt: skip
    numbers += [chance.uniform(-1e3, 1e3) for _ in range(300)] + [10.0**n * chance.random() for n in range(-320, 308)]
    numbers += [float(number) for (number,) in struct.iter_unpack("<d", chance.randbytes(8 * 500))]
    numbers += [round(chance.uniform(0, 1e5), place % 6) for place in range(33)]
    cells = np.array(numbers[: len(numbers) // 4 * 4]).reshape(4, -1)
    present = np.array([[chance.random() < 0.8 for _ in row] for row in cells])
    present[1] = True
    for value in (_value(cells, present), _value(cells[:, 3:4].copy(), np.ones((4, 1), bool))):
        for limit in (0, 3, 4):
            mine, cut = answering.data(value, limit)
            with monkeypatch.context() as patch:
                patch.setattr(answering, "native", None)
                assert (mine, cut) == answering.data(value, limit)
    told = json.loads(answering.data(_value(cells, present))[0])["result"]
    wanted = [[format_f(float(one)) for one in row[there]] for row, there in zip(cells, present, strict=True)]
    assert [[text for _, text in series["values"]] for series in told] == wanted


def test_nothing_is_an_empty_list() -> None:
    assert answering.data(_value(np.zeros((0, 1)), np.zeros((0, 1), bool))) == (
        b'{"resultType":"matrix","result":[]}',
        False,
    )


def test_arrays_that_do_not_fit_are_refused() -> None:
    values, present = np.ones((1, 2)), np.ones((1, 2), np.uint8)
    head, times = [b'{"values":['], [b'[1,"', b'[2,"']
    assert answering.native.rows(head, times, b"[1.0,2.5]", values, present) == b'{"values":[[1,"1"],[2,"2.5"]]}'
    for wrong in (b"[1.0]", b"[1.0,2.0,3.0]", b"[]", b""):
        with pytest.raises(ValueError, match=r"not as many|do not fit"):
            answering.native.rows(head, times, wrong, values, present)
    with pytest.raises(ValueError, match="do not fit"):
        answering.native.rows(head, times[:1], b"[1.0,2.5]", values, present)
