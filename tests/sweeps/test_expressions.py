"""Expressions: their values, their errors, and that they reach nothing else."""

from __future__ import annotations

import builtins

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runx.errors import ExpressionError
from runx.sweeps.expressions import parse

KNOWN = ["lr", "opt", "optimizer.lr", "batch-size", "bs", "beta", "acc:best", "betas", "a", "a.b"]


def value(text: str, **names: object) -> object:
    return parse(text, KNOWN).evaluate({name.replace("__", "."): n for name, n in names.items()})


def refusal(text: str, **names: object) -> str:
    with pytest.raises(ExpressionError) as caught:
        value(text, **names)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lrr < 1", "column 1: lrr is unknown: did you mean lr?"),
        ("lr < 1 and optt == 2", "column 12: optt is unknown: did you mean opt?"),
        ("'é' == é", "column 8: é is unknown: known are"),
        ("  zzz", "column 3: zzz is unknown"),
        ("optimizer.lrr", "column 1: optimizer.lrr is unknown: did you mean optimizer.lr?"),
        ("hp['batchsize']", "column 1: batchsize is unknown: did you mean batch-size?"),
        ("lr = 1", "column 4: write `==` for `=`"),
        ("lr < 1 && opt == 'a'", "column 8: write `and` for `&&`"),
        ("lr < 1 || opt == 'a'", "column 8: write `or` for `||`"),
        ("!lr", "column 1: write `not` for `!`"),
        ("lr <", "column "),
        ("", "column 1: no expression"),
        ("lr; opt", "column 3: no expression"),
        ("lr.real", "column 1: lr.real is unknown"),
        ("opt.upper()", "column 1: opt.upper() can't be called so"),
        ("'x'.upper()", "column 1: 'x'.upper() can't be called so"),
        ("lr.__class__", "column 1: lr.__class__ is unknown"),
        ("().__class__", "column 1: Attribute is not part of an expression"),
        ("__import__('os')", "column 1: __import__() can't be called so"),
        ("open('/etc/passwd')", "column 1: open() can't be called so"),
        ("eval('1')", "column 1: eval() can't be called so"),
        ("max(lr, key=abs)", "column 1: max() can't be called so"),
        ("max(*betas)", "column 5: Starred is not part"),
        ("[x for x in betas]", "column 1: ListComp is not part"),
        ("lambda: 1", "column 1: Lambda is not part"),
        ("(lr := 1)", "column 2: NamedExpr is not part"),
        ("f'{lr}'", "column 1: JoinedStr is not part"),
        ("{1: 2}", "column 1: Dict is not part"),
        ("b'x'", "column 1: b'x' is no value here"),
        ("1j", "column 1: 1j is no value here"),
        ("...", "column 1: Ellipsis is no value here"),
        ("lr << 2", "column 1: LShift is no operation here"),
        ("~lr", "column 1: ~ is no operation here"),
        ("lr is 1", "column 1: `is` compares with none alone"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_column(text, message):
    assert refusal(text).startswith(f"{text}: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr / 0", "column 1: float division by zero"),
        ("opt < 3", "column 1: 'sgd' can't be compared with 3"),
        ("opt + 1", "column 1: 'sgd' and 1 don't add"),
        ("opt * 3", "column 1: 'sgd' and 3 are not both numbers"),
        ("opt % 3", "column 1: 'sgd' and 3 are not both numbers"),
        ("'%999999999d' % 3", "column 1: '%999999999d' and 3 are not both numbers"),
        ("betas * 999999999", "column 1: (0.9, 0.99) and 999999999 are not both numbers"),
        ("9 ** 9 ** 9", "column 1: "),
        ("2 ** 2000 * 2 ** 2000 * 2 ** 2000", "column 1: the result is too large"),
        ("(-8) ** 0.5", "column 1: -8 ** 0.5 is no real number"),
        ("2.0 ** 99999", "column 1: "),
        ("1 in opt", "column 1: 1 is no text"),
        ("1 in lr", "column 1: 0.1 is neither a list nor text"),
        ("betas[7]", "column 1: (0.9, 0.99) has no item 7"),
        ("lr[0]", "column 1: 0.1[0] is no item of a list"),
        ("sqrt(-1)", "column 1: "),
        ("int('x')", "column 1: "),
        ("len(lr)", "column 1: 0.1 has no length"),
        ("round(lr, 99999999)", "column 1: 99999999 is no number of places"),
    ],
)
def test_values_that_do_not_fit_are_refused_with_their_column(text, message):
    assert refusal(text, lr=0.1, opt="sgd", betas=(0.9, 0.99)).startswith(f"{text}: {message}")


@pytest.mark.parametrize("text", ["(" * 500 + "1" + ")" * 500, "1" + "+1" * 3000, "-" * 5000 + "1"])
def test_what_is_nested_too_deeply_or_too_long_is_refused(text):
    with pytest.raises(ExpressionError):
        parse(text, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lr * bs / 256", 0.1 * 64 / 256),
        ("bs // 10 + bs % 10 - 2 ** 3", 6 + 4 - 8),
        ("-bs", -64),
        ("not bs > 3", False),
        ("0 < lr < 1 < bs", True),
        ("0 < lr < 0.01 < bs", False),
        ("opt == 'sgd' and lr < 0.2 or bs > 99", True),
        ("opt in ('sgd', 'adam')", True),
        ("opt not in ['sgd', 'adam']", False),
        ("'g' in opt", True),
        ("optimizer.lr", 0.5),
        ("hp['batch-size']", 32),
        ("acc:best > 0.9", True),
        ("'x:y' == 'x:y'", True),
        ("a.b + a", 3),
        ("'s' + opt", "ssgd"),
        ("str(bs) + 'k'", "64k"),
        ("max(lr, 1, bs)", 64),
        ("min(betas)", 0.9),
        ("round(2 / 3, 2)", 0.67),
        ("len(betas)", 2),
        ("betas[0]", 0.9),
        ("betas[-1]", 0.99),
        ("int(2.7) + floor(2.7) + ceil(2.1)", 7),
        ("log10(1000)", 3.0),
        ("1 if bs > 3 else 2", 1),
        ("true and not False", True),
        ("'multi' ==\n  'multi'", True),
        ("lr <= 0.1", True),
    ],
)
def test_an_expression_has_the_value_that_python_gives_it(text, expected):
    names = {
        "lr": 0.1, "opt": "sgd", "bs": 64, "optimizer.lr": 0.5, "batch-size": 32,
        "acc:best": 0.95, "betas": (0.9, 0.99), "a": 1, "a.b": 2,
    }  # fmt: skip
    answer = parse(text, KNOWN).evaluate(names)
    assert answer == expected
    assert type(answer) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        "beta < 1", "beta > 1", "beta == 1", "beta != 1", "beta in (1, 2)", "beta not in (1, 2)",
        "beta == beta", "0 < beta < 1", "beta * 2 < 3", "max(beta, 1) > 0", "-beta < 0", "beta",
        "betas[0] > 1",
    ],
)  # fmt: skip
def test_a_missing_name_compares_false_whatever_with(text):
    assert not parse(text, KNOWN).holds({})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("beta is none", True),
        ("beta is not None", False),
        ("beta == none", True),
        ("null != beta", False),
        ("lr is none", False),
        ("lr is not null", True),
        ("not beta", True),
    ],
)
def test_a_missing_name_can_be_asked_for(text, expected):
    assert value(text, lr=1) is expected


def test_a_name_of_ones_own_hides_a_constant():
    assert parse("none + 1", ["none"]).evaluate({"none": 2}) == 3


def test_an_expression_has_the_names_that_it_uses():
    assert parse("max(lr, optimizer.lr) < hp['batch-size']", KNOWN).names == {
        "lr",
        "optimizer.lr",
        "batch-size",
    }


@given(st.text() | st.text("lr<>=()[]{}.+-*/%'\" \n\\:!&|~^@,_0123456789abehimorst"))
def test_any_text_is_an_expression_or_refused_on_one_line(text):
    try:
        parse(text, KNOWN).evaluate({"lr": 0.1, "a": "x"})
    except ExpressionError as error:
        assert "\n" not in str(error)


REACHABLE = st.sampled_from(
    [
        "__class__", "__globals__", "__builtins__", "open", "exec", "eval", "getattr", "type",
        "format", "mro", "__subclasses__", "__import__", "os", "help", "input", "vars", "globals",
    ]
)  # fmt: skip
SHAPES = st.sampled_from(
    [
        "{0}", "{0}()", "{0}('x')", "lr.{0}", "lr.{0}()", "'x'.{0}", "'x'.{0}('x')", "().{0}",
        "max.{0}", "hp.{0}", "str(lr).{0}", "betas[0].{0}", "hp['{0}']", "(lr).{0}.{0}",
        "[lr][0].{0}", "max({0})", "'{{}}'.{0}(lr)",
    ]
)  # fmt: skip


@given(SHAPES, REACHABLE)
def test_no_expression_reaches_an_attribute_a_builtin_or_a_file(shape, name):
    with pytest.raises(ExpressionError):
        parse(shape.format(name), KNOWN).evaluate({"lr": 0.1, "betas": (1, 2)})


@given(st.sampled_from(sorted(vars(builtins))))
def test_only_listed_functions_can_be_called(name):
    from runx.sweeps.arithmetic import FUNCTIONS

    if name not in FUNCTIONS:
        with pytest.raises(ExpressionError):
            parse(f"{name}(1)", KNOWN).evaluate({})


numbers = st.integers(-1000, 1000) | st.floats(-1000, 1000)


@given(numbers, numbers)
def test_arithmetic_and_comparison_agree_with_python(one, other):
    names = {"lr": one, "bs": other}
    assert parse("lr + bs * 2 - bs", KNOWN).evaluate(names) == one + other * 2 - other
    assert parse("lr < bs", KNOWN).evaluate(names) is (one < other)
    assert parse("lr == bs", KNOWN).evaluate(names) is (one == other)
