"""What is wrong with an input, as one sentence: field, value, what was expected, way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .errors import InvalidInputError, did_you_mean
from .fields import known_names, model_inside
from .texts import shown

Place = Sequence[int | str]


def friendly(fault: ValidationError, what: str, model: type[BaseModel] | None = None) -> InvalidInputError:
    """Return what *fault* found first as an error for the user; a mistyped key comes before all else.

    *what* names the whole ("job request", "app"); with its *model* an unknown key gets the nearest
    name that would have been right.
    """
    details = fault.errors(include_url=False)
    # A mistyped key is also why a required one is missing.
    first = next((detail for detail in details if detail["type"] == "extra_forbidden"), details[0])
    path = field_path(first["loc"])
    sentence = _SENTENCES.get(first["type"], _by_pydantic)(path or what, first, what, model)
    more = f" ({len(details) - 1} more in this {what}.)" if len(details) > 1 else ""
    return InvalidInputError(sentence + more, field=path, value=first.get("input"))


def field_path(place: Place) -> str:
    """Return ``parameterSet.appArgs[0].arg`` for its parts."""
    path = ""
    for part in place:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def model_at(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """Return the model whose field stands at *place* inside *model*."""
    here: type[BaseModel] | None = model
    for part in place:
        if isinstance(part, str) and here is not None:
            field = next((f for n, f in here.model_fields.items() if part in (n, f.alias)), None)
            here = model_inside(field.annotation) if field else None
    return here


def _missing(path: str, _: ErrorDetails, what: str, __: type[BaseModel] | None) -> str:
    return f"{path} is missing. {'An' if what[:1] in 'aeiou' else 'A'} {what} needs it."


def _unknown(path: str, detail: ErrorDetails, what: str, model: type[BaseModel] | None) -> str:
    key = str(detail["loc"][-1])
    holder = model_at(model, detail["loc"][:-1]) if model else None
    names = known_names(holder) if holder else []
    where = f"{field_path(detail['loc'][:-1])} of a {what}" if len(detail["loc"]) > 1 else f"a {what}"
    valid = f" Fields: {', '.join(names)}." if names and len(names) <= 10 else ""
    return f"'{key}' is not a field of {where}.{did_you_mean(key, names)}{valid}"


def _wrong_choice(path: str, detail: ErrorDetails, _: str, __: type[BaseModel] | None) -> str:
    expected = detail["ctx"]["expected"]
    choices = [choice.strip("' ") for choice in expected.replace(" or ", ", ").split(",")]
    nearest = did_you_mean(str(detail["input"]).upper(), choices)
    return f"{path} {shown(detail['input'])} is not one of: {', '.join(choices)}.{nearest}"


def _out_of_range(path: str, detail: ErrorDetails, _: str, __: type[BaseModel] | None) -> str:
    context = detail["ctx"]
    bound = f"at least {context['ge']}" if "ge" in context else f"at most {context.get('le')}"
    return f"{path} {shown(detail['input'])} must be {bound}."


def _too_long(path: str, detail: ErrorDetails, _: str, __: type[BaseModel] | None) -> str:
    length, most = len(detail["input"]), detail["ctx"]["max_length"]
    return f"{path} has {length:,} characters; at most {most:,} are allowed."


def _too_short(path: str, detail: ErrorDetails, _: str, __: type[BaseModel] | None) -> str:
    return f"{path} is empty. Give it a value or leave it out."


def _wrong_form(path: str, detail: ErrorDetails, _: str, __: type[BaseModel] | None) -> str:
    return f"{path} {shown(detail['input'])} must match {detail['ctx']['pattern']}."


def _own_words(path: str, detail: ErrorDetails, _: str, __: type[BaseModel] | None) -> str:
    return f"{path} {detail['ctx']['error']}"


def _by_pydantic(path: str, detail: ErrorDetails, _: str, __: type[BaseModel] | None) -> str:
    message = detail["msg"]
    return f"{path} {shown(detail['input'])} cannot be used: {message[0].lower()}{message[1:]}."


def _not_a(expected: str) -> Callable[[str, ErrorDetails, str, type[BaseModel] | None], str]:
    def sentence(path: str, detail: ErrorDetails, _: str, __: type[BaseModel] | None) -> str:
        return f"{path} must be {expected}, not {_kind(detail['input'])} {shown(detail['input'])}."

    return sentence


def _kind(value: Any) -> str:
    if value is None:
        return "nothing:"
    kinds = {bool: "the truth value", str: "the text", int: "the number", float: "the number"}
    if type(value) in kinds:
        return kinds[type(value)]
    return (
        "the object" if isinstance(value, Mapping) else "the list" if isinstance(value, list) else "the value"
    )


_WHOLE, _TRUTH, _TEXT = "a whole number", "true or false", "text"
_LIST, _OBJECT = "a list", "an object"
_SENTENCES: dict[str, Callable[[str, ErrorDetails, str, type[BaseModel] | None], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "enum": _wrong_choice,
    "literal_error": _wrong_choice,
    "greater_than_equal": _out_of_range,
    "less_than_equal": _out_of_range,
    "string_too_long": _too_long,
    "string_too_short": _too_short,
    "string_pattern_mismatch": _wrong_form,
    "value_error": _own_words,
    "int_type": _not_a(_WHOLE),
    "int_from_float": _not_a(_WHOLE),
    "bool_type": _not_a(_TRUTH),
    "string_type": _not_a(_TEXT),
    "list_type": _not_a(_LIST),
    "dict_type": _not_a(_OBJECT),
    "model_type": _not_a(_OBJECT),
    "model_attributes_type": _not_a(_OBJECT),
}
