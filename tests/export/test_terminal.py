import pytest

from runx.export.terminal import axis


def test_a_logarithmic_axis_leaves_out_what_has_no_logarithm():
    scale = axis([0.0, -1.0, 0.1, 10.0], log=True)
    assert scale.place(1.0) == pytest.approx(0.5)
    assert scale.place(0.0) is None
    assert scale.at(0.5) == pytest.approx(1.0)
