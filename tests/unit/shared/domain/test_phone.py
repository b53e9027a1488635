"""Numbers and their types."""

from __future__ import annotations

import pytest

from shared.domain.errors import InvalidInput
from shared.domain.phone import NumberType, e164, masked, number_type


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+34910000001", NumberType.GEOGRAPHIC),
        ("+34600000001", NumberType.MOBILE),
        ("+34711000001", NumberType.MOBILE),
        ("+34400000001", NumberType.COMMERCIAL_400),
        ("+34900000001", NumberType.FREEPHONE),
        ("+34806000001", NumberType.PREMIUM),
        ("+34700000001", NumberType.PERSONAL),
        ("+34112", NumberType.UNKNOWN),
        ("+346٠٠٠٠٠٠٠١", NumberType.UNKNOWN),
        ("+34６０００００００１", NumberType.UNKNOWN),
        ("+34600000001\n", NumberType.UNKNOWN),
        ("+441632960000", NumberType.FOREIGN),
    ],
)
def test_types(number, kind) -> None:
    assert number_type(number) is kind


@pytest.mark.parametrize(
    ("text", "number"), [("+34 600 00 00 01", "+34600000001"), ("0034-600-000-001", "+34600000001")]
)
def test_separators_do_not_matter(text, number) -> None:
    assert e164(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "600000001",
        "",
        "+34",
        "+3460000000",
        "abc",
        "+34600000001;ext=2",
        # Arabic, full-width and Devanagari digits.
        "+346٠٠٠٠٠٠٠١",
        "+34６００００００１１",
        "＋34600000001",
        "+४४२०७९४६०००००",
    ],
)
def test_what_is_no_number_is_refused_without_repeating_it(text) -> None:
    with pytest.raises(InvalidInput) as refusal:
        e164(text)
    assert not text or text not in str(refusal.value)


def test_a_masked_number_shows_its_end() -> None:
    assert masked("+34600000001") == "+34*****0001"
