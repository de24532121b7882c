# SPDX-License-Identifier: BSD-3-Clause
import itertools
import re
import sys
import unicodedata

import pytest

from sktransrec.preprocessing import _scripts
from sktransrec.preprocessing._scripts import mixed_tokens, normalized, word_pattern


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("two words", ["two", "words"]),
        ("東京都", ["東京", "京都"]),
        ("木", ["木"]),
        ("Tシャツ3", ["T", "シャ", "ャツ", "3"]),
        ("ไทย", ["ไท", "ทย"]),
        ("हिन्दी", ["हिन्दी"]),
        ("क\u200dष", ["क\u200dष"]),
        ("...", []),
    ],
)
def test_tokens_by_hand(text, tokens):
    assert mixed_tokens(text) == tokens


def test_normalised_texts_lose_invisible_signs_and_variants():
    assert normalized("NFKC", "ﬁ\u00adlm\ufe0f") == "film"
    assert normalized("NFC", "e\u0301") == "é"
    assert normalized(None, "a\u00adb") == "a\u00adb"
    # It parts words, in scripts that have no spaces.
    assert normalized("NFKC", "a\u200bb") == "a\u200bb"


def test_all_letters_and_marks_are_looked_at():
    """The codes that are searched hold every character that Unicode counts as one of these."""
    codes = set(itertools.chain(*_scripts._RANGES_OF_CODES))
    others = map(chr, set(range(sys.maxunicode + 1)) - codes)
    # What is not assigned, or for private use, has no name and is no mark.
    beyond = [
        char
        for char in others
        if (category := unicodedata.category(char)) not in ("Cn", "Co")
        and (category[0] == "M" or unicodedata.name(char, "").startswith("VARIATION SELECTOR"))
    ]
    assert not beyond


def test_a_word_keeps_its_marks():
    assert re.findall(word_pattern(), "שָׁלוֹם, e\u0301te\u0301!") == ["שָׁלוֹם", "e\u0301te\u0301"]
