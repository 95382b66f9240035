"""``{{ expression }}``: values go in, everything else stays byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_tapis_jobs.model.errors import InvalidInputError
from jupyter_tapis_jobs.notebook.values import fill

any_text = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(any_text.filter(lambda text: "{{" not in text))
def test_text_without_braces_passes_byte_for_byte(text):
    assert fill(text, {"x": 1}) == text


@given(any_text.filter(lambda text: "}}" not in text))
def test_braces_that_are_never_closed_are_text(text):
    assert fill(text, {"x": 1}) == text


@given(any_text, any_text)
def test_only_the_expression_changes_and_its_value_is_not_read_again(before, after):
    text = before.replace("{", "") + "{{ x }}" + after.replace("{", "").replace("}", "")
    value = "{{ x }} {% if 1 %}"
    assert fill(text, {"x": value}) == text.replace("{{ x }}", value)


@pytest.mark.parametrize(
    "text",
    [
        "f'{{}}'.format(1)",
        "{% if x %} {# no comment #} {{% %}",
        "\r\nset a {b\r\n}\r\n\r",
        "proc p {} {{\n}}\n",
        "trailing newline\n\n",
    ],
)
def test_other_peoples_braces_are_text(text):
    assert fill(text, {"x": 1}) == text


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("K={{ k }}", "K=3"),
        ("{{k}}{{ k+1 }}", "34"),
        ("{{ {'a': {'b': k}}['a']['b'] }}", "3"),
        ("{{ [round(x, 2) for x in []] if false else name.upper() }}", None),
        ("{{ name.upper() }} {{ len(name) }}", "FRAME 5"),
        ("{{ '{{' }} literal", "{{ literal"),
    ],
)
def test_an_expression_takes_the_notebooks_variables(text, filled):
    if filled is None:
        with pytest.raises(InvalidInputError, match="cannot be read"):
            fill(text, {"k": 3, "name": "frame"})
    else:
        assert fill(text, {"k": 3, "name": "frame"}) == filled


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ dampin }}", "there is no variable 'dampin' in this notebook. Did you mean 'damping'?"),
        ("{{ load 1 }}", "cannot be read"),
        ("{{ damping.__class__.__mro__ }}", "is not allowed"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ damping.nothing }}", "has no value"),
    ],
)
def test_an_expression_that_cannot_be_is_explained(text, words):
    with pytest.raises(InvalidInputError) as caught:
        fill(text, {"damping": 0.02})
    assert words in caught.value.message
