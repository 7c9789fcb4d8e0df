"""A reply in plain characters: what looks like a letter is one, and marks around a single letter are round brackets.

Letters of full width, in circles or in mathematical type become plain ones (NFKC). Greek and Cyrillic letters that look like
Latin ones do too where they stand alone, and nothing else in the text is of their script: "Ответ: В" may mean the third letter
and stays as it is. "left and right kidney" becomes "left kidney and right kidney".
"""

from __future__ import annotations

import re
import unicodedata

_GREEK = str.maketrans("ΑΒΕΗαβ", "ABEHab")
_CYRILLIC = str.maketrans("АВСЕНавсе", "ABCEHabce")
_SCRIPTS = ((_GREEK, re.compile(r"[\u0370-\u03ff]+")), (_CYRILLIC, re.compile(r"[\u0400-\u04ff]+")))
_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d\u00ab\u00bb\u300c\u300d\u3002", '\'\'"""""".')
_UNSEEN = re.compile(r"[\u200b-\u200f\u2060\ufeff\ufe0f]")
_NEGATIVE_SQUARED = {0x1F170 + place: letter for place, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_TEX = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mathit|mathbb|operatorname)\s*\{([^{}]*)\}")
_MARKED = re.compile(r"(\*\*\*|\*\*|\*|__|_|`|\"|')\s*[(\[]?\s*([A-Za-z])\s*[)\].:,]*\s*\1(?![A-Za-z])")
_HTML = re.compile(r"</?(?:b|i|u|p|strong|em|br|span|div|code|pre|li|ul|ol|h[1-6])\s*/?>")
_BRACKETED = re.compile(r"[\[{]\s*([A-Za-z])\s*[\]}]|<([A-Z])>")
_DOTTED = re.compile(r"(?<![A-Za-z.])[A-H](?:\.[A-H])+(?![A-Za-z])")
_PAIR = re.compile(r"\b(left|right) (and|or) (left|right) ([a-z]{3,}?)(s?)\b", re.IGNORECASE)
_DECORATION = re.compile(r"\*+|`+|(?<![A-Za-z0-9])_+|_+(?![A-Za-z0-9])|\$|^[ \t]*(?:#+|>+(?![ \t]*\d))[ \t]*", re.MULTILINE)
_SNAKE = re.compile(r"\b(options?|choices?|answers?)_(?=[a-z]\b)", re.IGNORECASE)


def plain(text: str) -> str:
    """The text in plain characters; lines and letter case are kept."""
    text = unicodedata.normalize("NFKC", text.translate(_NEGATIVE_SQUARED)).translate(_QUOTES)
    text = _latin(_UNSEEN.sub("", text))
    text = _HTML.sub(" ", text)
    text = _TEX.sub(r"\1", text)
    text = _MARKED.sub(r"(\2)", text)
    text = _BRACKETED.sub(lambda found: f"({found[1] or found[2]})", text)
    text = _DOTTED.sub(lambda found: found[0].replace(".", ", "), text)
    text = _PAIR.sub(r"\1 \4 \2 \3 \4", text)
    text = _SNAKE.sub(r"\1 ", text)
    return _DECORATION.sub("", text).strip()


def _latin(text: str) -> str:
    for table, script in _SCRIPTS:
        if all(len(one) == 1 and ord(one) in table for one in script.findall(text)):
            text = text.translate(table)
    return text
