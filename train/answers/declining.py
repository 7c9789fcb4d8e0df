"""Whether a reply declines to answer, or says that there is nothing of what is asked for.

A refusal: it can't tell, can't see the picture, or won't speak of medical matters. An abstention: no option fits, or the thing
isn't there. Sentences that decline are cut off, and what a contrast ("but", "however", "if I had to") leads on to is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .status import Status

_CANT = (
    r"(?:can(?:no|')?t|can not|could(?: not|n't)|am (?:not able|unable)|'m (?:not able|unable)|unable|not able|won't"
    r"|will not|not possible)"
)
_TELL = (
    r"(?:determine|tell|identify|say|answer|provide|give|offer|make|diagnose|assess|see|view|access|process"
    r"|analy[sz]e|interpret|help"
    r"|assist|confirm|conclude|decide|evaluate|know|comment|fulfil+|comply|recogni[sz]e|be (?:determined"
    r"|identified|told|answered)"
    r"|establish|ascertain|infer|choose|select|pick|open|display|read|locate|find|detect|classify|perform)"
)
_REFUSALS = (
    rf"\b{_CANT}\b(?:\W+(?:to|be|really|reliably|accurately|definitively|confidently|currently|directly|possibly"
    rf"|with|any|certainty|"
    rf"confidence|you)){{0,5}}?\W+{_TELL}\b",
    r"\b(?:impossible|difficult|hard) to (?:determine|tell|say|identify|diagnose|answer|know)",
    r"\bcannot be (?:determined|identified|answered|assessed|told|established|seen|made)",
    r"\b(?:I )?have no (?:idea|clue)\b|\b(?:do not|don't) (?:know|have (?:enough|sufficient|access|the ability|an image))",
    r"\b(?:I'm|I am) (?:not sure|unsure|sorry|afraid)\b",
    r"^\W*(?:unknown|unsure|not sure|no idea|n/?a|undetermined|indeterminate|inconclusive|sorry"
    r"|i apologi[sz]e)\b\W*(?:$|[,.;])",
    r"\b(?:not enough|insufficient|no sufficient) (?:information|data|context|detail|evidence)",
    r"\bno (?:image|picture|photo|scan|attachment)\b.{0,30}\b(?:provided|attached|uploaded|visible|included|given"
    r"|shared|found|here)\b",
    r"\b(?:image|picture|scan)\b.{0,20}\b(?:is|was) (?:not|n't) (?:provided|attached|uploaded|visible|included|loading|shown)",
    r"\bas an? (?:AI|language model|text-based)\b.{0,80}\b(?:can't|cannot|can not|unable|not able|don't|do not)\b",
    r"\bI must decline\b|\bI (?:have to|will) decline\b|\bdecline to answer\b",
    r"\bnot qualified to\b|\bagainst my (?:guidelines|policy)\b",
    r"无法|不能(?:确定|判断|提供|回答|识别)|抱歉|对不起|不知道|看不到|不确定",
    r"申し訳|わかりません|分かりません|判断できません|できません",
    r"죄송|알 수 없|판단할 수 없|할 수 없",
    r"\blo siento\b|\bno (?:puedo|es posible|se puede)\b|\bno lo sé\b",
    r"\bdésolée?\b|\bje ne (?:peux|suis|sais) pas\b|\bimpossible de\b|\bil n'est pas possible\b",
    r"\btut mir leid\b|\bich kann\b.{0,60}\bnicht\b|\bkann (?:ich )?(?:das |dies |es )?(?:leider )?nicht\b"
    r"|\bnicht möglich\b|\bich weiß (?:es )?nicht\b",
    r"\bdesculpe\b|\bnão (?:posso|consigo|é possível|sei)\b|\blamento\b",
    r"\bmi dispiace\b|\bnon (?:posso|è possibile|sono in grado|lo so)\b",
    r"извините|не могу|невозможно|не знаю|к сожалению",
    r"عذرا|آسف|لا أستطيع|لا يمكن|لا أعرف",
    r"\büzgünüm\b|माफ़|क्षमा|\bprzepraszam\b|\bnie mogę\b|\bhet spijt me\b|\bik kan\b.{0,40}\bniet\b",
)
_ABSTENTIONS = (
    r"\bnone of (?:the|these|those|them|[A-H](?=,))(?!\w)|^\W*none\W*$|\bno (?:correct|right|suitable|appropriate"
    r"|valid) (?:option|answer|choice)\b",
    r"\b(?:option|answer|choice)s?\b.{0,30}\b(?:do(?:es)? not|don't|doesn't) (?:match|fit|apply|describe)",
    r"\bthere (?:is|are|'s)(?: clearly| currently)? (?:no|none|not any|n't any|nothing)\b|\bthere isn't\b|\bthere aren't\b",
    r"\bno (?:visible |clear |obvious |evident |such )?[\w -]{1,60}\b(?:is|are|can be|could be|was"
    r"|were)? ?(?:seen|visible|present|"
    r"identified|detected|found|shown|depicted|observed)\b",
    r"\b(?:I )?(?:see|find|detect|observe) no\b|\b(?:shows?|holds?|contains?) no\b"
    r"|\b(?:do not|don't|does not|doesn't|cannot|can't) (?:see|find|show"
    r"|contain|detect|"
    r"have|include|appear to (?:show|contain))\b",
    r"\b(?:is|are) (?:not|n't) (?:present|visible|seen|shown|there|depicted|found)\b|\b(?:is|are)n't (?:present"
    r"|visible|seen|shown|there)\b",
    r"\b(?:is|are) absent\b|\bnothing (?:to (?:mark|segment|detect|see)|(?:is|was) (?:found|detected|visible|seen|marked))\b",
    r"\bwithout any\b|\bnot found\b|\bno (?:findings?|detections?|objects?|regions?|boxes|masks?|results?)\b",
    r"以上(?:都|皆)不|没有(?:正确|符合|看到|发现)|都不(?:是|对)|图(?:像|片)中没有",
    r"該当なし|ありません|見られません|없습니다|보이지 않",
    r"\bninguna de las\b|\bno hay\b|\bno se (?:ve|observa|aprecia)\b|\bno aparece\b",
    r"\baucune? des\b|\bil n'y a (?:pas|aucun)|\bkeine der\b|\bes gibt keine?\b|\bist kein\w* .{0,40}zu sehen\b"
    r"|\bnicht zu sehen\b",
    r"\bnenhuma das\b|\bnão há\b|\bnon c'è\b|\bnessuna delle\b|ни один|нет на (?:изображении|снимке)|не видно",
)
_FLAGS = re.IGNORECASE | re.DOTALL
_ADVICE = re.compile(
    r"\b(?:please|you should|recommend(?:ed)?(?: to| that you)?) (?:consult|see|seek|contact|provide|upload|attach|share)\b",
    _FLAGS,
)
"""A refusal where nothing stands before it."""
_REFUSED = re.compile("|".join(f"(?:{one})" for one in _REFUSALS), _FLAGS)
_ABSTAINED = re.compile("|".join(f"(?:{one})" for one in _ABSTENTIONS), _FLAGS)
_UNSEEN = re.compile(
    r"\b(?:can(?:no|')?t|unable to|not able to|don't|do not) (?:see|view|find|access|open) (?:an?|any|the|your"
    r"|this) (?:image|picture|photo|scan|file)"
    r"|\bno (?:image|picture|photo|scan|attachment)\b|\bimages?\b.{0,20}\b(?:not|n't) (?:provided|attached"
    r"|uploaded|visible|included)",
    _FLAGS,
)
"""A picture that isn't seen is a refusal, though it reads like an absence."""
_CONTRAST = re.compile(
    r"\b(?:but|however|nevertheless|nonetheless|that said|still|yet|although|if I (?:had|have) to|based on)\b"
    r"|但(?:是)?|不过|しかし|\b(?:pero|mais|aber|mas|ma)\b|\bно\b|하지만",
    re.IGNORECASE,
)
_NONE_FITS = re.compile(
    r"\bnone of (?:the|these|those|them|[A-H](?=,))(?!\w)|^\W*none\W*$|\bno (?:correct|right|suitable|appropriate"
    r"|valid) (?:option|answer|choice)\b"
    r"|\b(?:option|answer|choice)s? (?:do(?:es)? not|don't|doesn't) (?:match|fit|apply|describe)"
    r"|以上(?:都|皆)不|\bninguna de las\b"
    r"|\baucune? des\b|\bkeine der\b|\bnenhuma das\b|\bnessuna delle\b",
    _FLAGS,
)
_SENTENCE = re.compile(r"(?<=[.!?。！？\n])\s*(?=\S)")


@dataclass(frozen=True, slots=True)
class Declined:
    """A reply that declines in a part of it."""

    status: Status
    """REFUSED or ABSTAINED."""
    rest: str
    """What a contrast leads on to; "" where there is none."""


def declined(text: str, status: Status) -> Declined | None:
    """How a text refuses or abstains, by its first sentence that does; None where none does."""
    sentences = _SENTENCE.split(text)
    for place, sentence in enumerate(sentences):
        if _status(sentence) is status or (status is Status.REFUSED and place == 0 and _ADVICE.search(sentence)):
            return Declined(status, _rest(sentence, sentences[place + 1 :]))
    return None


def fits_none(text: str) -> bool:
    """Whether a text says outright that none of the options is right."""
    return _NONE_FITS.search(text) is not None


def _status(sentence: str) -> Status | None:
    if _UNSEEN.search(sentence):
        return Status.REFUSED
    refused, abstained = _REFUSED.search(sentence), _ABSTAINED.search(sentence)
    if refused is None and abstained is None:
        return None
    if refused is None or (abstained is not None and abstained.start() < refused.start()):
        return Status.ABSTAINED
    return Status.REFUSED


def _rest(sentence: str, following: list[str]) -> str:
    matches = [found for found in (_REFUSED.search(sentence), _ABSTAINED.search(sentence)) if found]
    after = min(found.end() for found in matches) if matches else 0
    if turn := _CONTRAST.search(sentence, after):
        return " ".join((sentence[turn.end() :], *following)).strip()
    for place, one in enumerate(following):
        if turn := _CONTRAST.match(one):
            return " ".join((one[turn.end() :], *following[place + 1 :])).strip()
    return ""
