from hypothesis import given
from hypothesis import strategies as st

from runx.analysis.table import rank

values = st.floats() | st.integers() | st.none() | st.text(max_size=3)


@given(st.lists(values), st.booleans())
def test_any_values_have_an_order_with_numbers_first_and_nothing_last(found, lower):
    ordered = sorted(found, key=lambda one: rank(one, lower))
    kinds = [rank(one, lower)[0] for one in ordered]
    assert kinds == sorted(kinds)
    numbers = [one for one in ordered if rank(one, lower)[0] == 0]
    assert numbers == sorted(numbers, reverse=not lower)
