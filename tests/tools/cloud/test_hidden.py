"""Messages mask hidden values that a service quotes."""

from __future__ import annotations

import json
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arc.errors import ToolError
from arc.tools.cloud.cloud import Cloud, Hidden
from tests.tools.cloud.answering import Answering, refused

TEXTS = st.text(st.characters(codec="utf-8"), min_size=4)
QUOTES = st.sampled_from(["'{}'", '"{}"', "{}", "String measured: {}"])


@given(value=TEXTS, quote=QUOTES, others=st.lists(TEXTS))
def test_hidden_value_is_masked_in_every_form(value: str, quote: str, others: list[str]) -> None:
    """As plain text, JSON and Python; other hidden values do not reveal it."""
    hidden = Hidden()
    hidden.add(*others, value)
    for written in (value, json.dumps(value), json.dumps({"KEY": value}, ensure_ascii=False), repr(value)):
        shown = hidden.masked(quote.format(written))
        assert value not in shown.replace("********", "")
        assert written[1:-1] not in shown.replace("********", "") or written == value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1 validation error: Value 'abc' at 'value'", "1 validation error: Value '********' at 'value'"),
        ('String measured: {"A":"abc","B":"1"}', 'String measured: {"A":"********","B":"1"}'),
        ("an abc of errors", "an abc of errors"),
    ],
)
def test_short_value_is_masked_only_in_quotes(text: str, shown: str) -> None:
    """Elsewhere it is probably part of a word."""
    hidden = Hidden()
    hidden.add("abc", "")
    assert hidden.masked(text) == shown


def test_longer_value_is_masked_first() -> None:
    """Otherwise the rest of it would show that it begins with the shorter one."""
    hidden = Hidden()
    hidden.add("hush", "hush-hush-hush")
    assert hidden.masked("Value 'hush-hush-hush'") == "Value '********'"


def test_values_are_masked_across_threads() -> None:
    """Several threads read functions, each with its variables."""
    hidden, barrier = Hidden(), threading.Barrier(8)

    def use(thread: int) -> None:
        barrier.wait(30)
        for number in range(100):
            hidden.add(f"hush {thread} {number}")
            assert hidden.masked(f"Value 'hush {thread} {number}'") == "Value '********'"

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException", "ExpiredTokenException"])
def test_errors_mask_values_that_a_service_quotes(code: str) -> None:
    """Lambda quotes a whole set of variables that is too large."""
    secret = 'hush "hush"\nhüsh'
    said = f"too large. String measured: {json.dumps({'ARC_APP_SECRET': secret})}"
    answering = Answering(lambda _name, _body: refused(code, said))
    cloud = Cloud(answering.session)
    cloud.hide(secret)
    with pytest.raises(ToolError) as caught:
        cloud.call("ssm", "put_parameter", "Writing K", Name="/K", Value=secret, Type="SecureString")
    assert 'String measured: {"ARC_APP_SECRET": "********"}' in str(caught.value)
    assert "hush" not in "".join(traceback.format_exception(caught.value))
