# SPDX-License-Identifier: BSD-3-Clause
"""Splitting texts of any script into words, by the Unicode properties of the characters."""

import functools
import itertools
import re
import unicodedata

# The beginnings of the Unicode names of characters whose scripts have no spaces between words.
_WITHOUT_SPACES = (
    *("BOPOMOFO", "CJK", "HIRAGANA", "IDEOGRAPHIC", "KATAKANA"),
    *("KHMER", "LAO", "MYANMAR", "THAI"),
)
_ZERO_WIDTH_SPACE = "\u200b"
_JOINERS = "\u200c\u200d"
# All letters and marks: above the first range there are only variants of ideographs.
_RANGES_OF_CODES = range(0x32400), range(0xE0100, 0xE01F0)


def normalized(form, text):
    """Return the text in a Unicode form, without invisible signs; None changes nothing."""
    if form is None:
        return text
    return _invisible().sub("", unicodedata.normalize(form, text))


def mixed_tokens(text):
    """Return the words of a text; for scripts without spaces, pairs of neighbouring characters."""
    runs = itertools.chain.from_iterable(map(_runs().finditer, _words().findall(text)))
    tokens = []
    for run in runs:
        characters = _characters().findall(run[1]) if run[1] else [run[0]]
        pairs = itertools.pairwise(characters)
        tokens += characters if len(characters) == 1 else map("".join, pairs)
    return tokens


@functools.cache
def word_pattern():
    """Return the pattern of words, with their marks and the joiners inside them."""
    # No mark lies below U+0300; testing this first is five times as fast.
    return rf"\w+(?:(?![\0-\u02ff])[{_followers()}]\w*)*"


@functools.cache
def _words():
    return re.compile(word_pattern())


@functools.cache
def _runs():
    """Return the pattern of the runs in a word; its group is a run of a script without spaces."""
    unspaced = _unspaced()
    return re.compile(rf"([{unspaced}][{unspaced}{_followers()}]*)|[^{unspaced}]+")


@functools.cache
def _characters():
    """Return the pattern of a character with its marks."""
    return re.compile(rf".[{_followers()}]*")


@functools.cache
def _invisible():
    """Return the pattern of invisible signs that do not separate words, such as soft hyphens."""
    return re.compile(f"[{_ranges(_is_invisible)}]")


def _is_invisible(char):
    if unicodedata.category(char) == "Cf":
        return char != _ZERO_WIDTH_SPACE
    return unicodedata.name(char, "").startswith("VARIATION SELECTOR")


@functools.cache
def _followers():
    """Return the marks and joiners, which belong to the character before them."""
    return _ranges(lambda char: unicodedata.category(char).startswith("M")) + _JOINERS


@functools.cache
def _unspaced():
    return _ranges(lambda char: unicodedata.name(char, "").startswith(_WITHOUT_SPACES))


def _ranges(is_member):
    """Return the characters for which `is_member` is true, as ranges of a regular expression."""
    members = filter(is_member, map(chr, itertools.chain(*_RANGES_OF_CODES)))
    groups = itertools.groupby(enumerate(members), lambda pair: ord(pair[1]) - pair[0])
    ranges = [[char for _, char in group] for _, group in groups]
    return "".join(f"{re.escape(chars[0])}-{re.escape(chars[-1])}" for chars in ranges)
