"""Letters out of a reply to a question of choice, by rules in a fixed order; where none fits there is no answer, never a guess.

What is read is the part after any reasoning (`final.py`), in plain characters (`plain.py`), without a repetition of the
question. The first rule that reads something decides:

1. `answer-tag`, `boxed`, `json`: a wrapped answer; what is inside is read by the rules below.
2. `letter`, `letters`: the whole reply is a letter or a list of letters, with or without the texts of their options.
3. `text`, `synonym`, `texts`: the whole reply is an option's text, another name of its label, or a list of options' texts.
4. `stated`, `stated-text`: a sentence states the answer. Of several statements the last counts where it is called final or a
   turn of speech ("wait", "so", "therefore") leads to it. In multiple choice, options that are called right one by one add up.
5. `leading`, `enumerated`, `leading-text`: the first line is, or begins with, the answer, and an explanation follows. A list of
   all options in order is an echo of the question, and is taken out before.
6. a refusal, or the words that no option fits; what a "but" leads on to is read by the rules above and below.
7. `marked`: exactly one letter stands in brackets, in bold, after "option", or before its own text.
8. `lone`: a reply of a few words holds exactly one capital that can be no article.
9. `contained-text`: exactly one option's text (or another name of its label) occurs and isn't denied; in multiple
   choice, all that do.
10. an abstention: what is asked for isn't there.

In multiple choice every letter of a list counts. Reasons for UNPARSED: `several` (more than one answer to a single choice),
`hedged` ("A or B"), `contradictory` (a letter with another option's text), `no-such-option`, `echo`, and `nothing-read`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ...schema.errors import UsageError
from ...schema.question import Kind, Option, Question
from .declining import declined, fits_none
from .final import final, reasoned
from .letters import Letters, Run
from .option_texts import Named, OptionTexts, words
from .plain import plain
from .statements import Statement, deciding, denied, stated
from .status import Status
from .wrapped import wrapped

LONGEST_LONE, LONGEST_CONTAINED = 8, 100
"""Words of a reply up to which `lone` and `contained-text` are tried."""
_SAYS_LITTLE = frozenset(
    words(
        "yes no true false present absent positive negative normal abnormal other none "
        "left right both unknown mild moderate severe"
    )
)
"""Words that stand in any sentence: as an option's text they aren't searched in long replies."""
_LONG = 8
_NEXT_QUESTION = re.compile(r"\n\s*(?:#+\s*)?(?:Question|Q)\s*\d*\s*[:.]")
_LINE_START = re.compile(r"(?:^|\n)[ \t]*(?:[-•][ \t]*)?$")
_NO_LETTER_AFTER = re.compile(
    r"\b(?:hepatitis|types?|grades?|stages?|groups?|class|vitamin|views?|figures?|fig\.?|images?|panels?"
    r"|influenza|levels?|segments?|zones?"
    r"|parts?|points?|leads?|proteins?|categor(?:y|ies)|lines?|slices?|series|regions?|area|example:?|e\.g\.)\s*$",
    re.IGNORECASE,
)
_OPTION_BEFORE = re.compile(r"\b(?:options?|choices?|letters?)[\s_-]*$", re.IGNORECASE)
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:no(?! doubt)|not(?! only)|without|neither|nor|never|cannot|excludes?|excluding|rul(?:es?|ing"
    r"|ed) out|rather than|instead of|unlike|"
    r"absence of|free of|negative for|against|unlikely)|n't)\s+(?:[\w-]+\s+){0,3}$",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"\s*(?:is|are|was|were|can be|could be|seems?|appears?)?\s*(?:not\b|n't\b|absent\b|unlikely\b|ruled out\b"
    r"|excluded\b|less likely\b|incorrect\b|wrong\b)",
    re.IGNORECASE,
)
_ALSO = re.compile(r"\b(?:could|might|may) also be\b|\bor (?:possibly|maybe|perhaps)\b", re.IGNORECASE)
_OR_BETWEEN = re.compile(r"\b(?:or|vs\.?|versus|oder|ou)\b|或", re.IGNORECASE)
_ALL = re.compile(
    r"^\W*(?:all (?:of (?:the (?:above|options)|them|these)|(?:the )?(?:above|options|answers)|four|five|three)"
    r"|everything)(?: (?:is|are) (?:correct|right))?\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reply chooses."""

    letters: tuple[str, ...]
    """In the order of the options; empty unless answered."""
    rule: str
    """The rule that read them, or the reason why there are none."""
    status: Status


def read_choice(reply: str | None, question: Question) -> Choice:
    """The letters that a reply to a question of choice names, by the module's rules.

    Raises:
        UsageError: the question has no options.
    """
    if not question.options:
        raise UsageError(f"{question.id}: no options; expected a question of choice")
    if reply is None:
        return Choice((), "no-reply", Status.FAILED)
    text = final(reply)
    if not text:
        return Choice((), "only-reasoning" if reasoned(reply) else "no-text", Status.EMPTY)
    reader = _Reader(question.options, question.kind is Kind.MULTIPLE_CHOICE, (question.question, question.instruction))
    return reader.read(text)


class _Reader:
    """One question's rules."""

    def __init__(self, options: Sequence[Option], several: bool, asked: Iterable[str]):
        self.options, self.several = options, several
        self.order = tuple(option.letter.upper() for option in options)
        self.texts = _texts_of(tuple(options))
        self.asked = [plain(one) for one in asked if one.strip()]

    def read(self, text: str) -> Choice:
        """By all rules."""
        found = wrapped(text)
        if found is None or not any(part.strip() for part in found[1]):
            return self._prose(text)
        rule, parts = found
        reads = [self._prose(part) for part in parts if part.strip()]
        failed = next((one for one in reads if one.status is not Status.ANSWERED), None)
        return failed or self._decided([letter for one in reads for letter in one.letters], rule)

    def _prose(self, text: str) -> Choice:
        if turn := _NEXT_QUESTION.search(text, len(text) - len(text.lstrip())):
            before = self._prose(text[: turn.start()]) if text[: turn.start()].strip() else None
            if before is not None and before.status is Status.ANSWERED:
                return before
        bare = self._without_question(plain(text))
        return self._by_form(bare) or self._by_content(bare)

    def _by_form(self, text: str) -> Choice | None:
        """Rules 2 to 5: the form of the reply says what its answer is."""
        if not text:
            return Choice((), "echo", Status.UNPARSED)
        letters = self._letters(text)
        whole = letters.run(0, whole=True)
        if whole is not None and self._is_echo(whole, text):
            return Choice((), "echo", Status.UNPARSED)
        if whole is not None:
            return self._of_run(whole, "letter" if len(whole.letters) == 1 else "letters")
        if found := self._whole_text(text) or self._packed(text):
            return found
        denials = denied(letters)
        if statements := stated(letters, self.texts, denials):
            return self._of_statements(statements, text)
        return self._leading(text)

    def _by_content(self, text: str) -> Choice:
        """Rules 6 to 10: what the reply speaks of."""
        rest = self._without_echo(text)
        if not rest:
            return Choice((), "echo", Status.UNPARSED)
        if not self._option_declines(rest):
            if (refused := declined(rest, Status.REFUSED)) is not None:
                return self._after(refused.rest) or Choice((), "refusal", Status.REFUSED)
            if fits_none(rest):
                return Choice((), "none-fits", Status.ABSTAINED)
        letters = self._letters(rest)
        denials = denied(letters)
        found = self._marked(letters, denials) or self._lone(letters, denials) or self._contained(rest)
        if found is not None:
            return found
        if declined(rest, Status.ABSTAINED) is not None:
            return Choice((), "not-there", Status.ABSTAINED)
        return Choice((), "nothing-read", Status.UNPARSED)

    def _after(self, rest: str) -> Choice | None:
        """What a reply says after it declined."""
        if not rest:
            return None
        found = self._by_form(rest) or self._by_content(rest)
        return found if found.status is Status.ANSWERED else None

    def _whole_text(self, text: str) -> Choice | None:
        if named := self.texts.whole(text):
            return self._of_named(named, "text" if named.own else "synonym")
        if _ALL.match(text):
            return self._decided(self.order, "letters")
        parts = [part for part in re.split(r"\s*(?:[,;\n]|\band\b|&)\s*", text) if words(part)]
        every = [self.texts.whole(re.sub(r"^\s*(?:[-•]|\d+[.)])\s*", "", part)) for part in parts]
        if len(parts) > 1 and all(one is not None and len(one.letters) == 1 for one in every):
            return self._decided([letter for one in every if one for letter in one.letters], "texts")
        return None

    def _packed(self, text: str) -> Choice | None:
        """Letters written as one word, in multiple choice: "ACD"."""
        word = text.strip(" .()")
        fits = self.several and 1 < len(word) <= len(self.order) and set(word) <= set(self.order)
        return self._decided(word, "letters") if fits and list(word) == sorted(set(word)) else None

    def _of_statements(self, statements: Sequence[Statement], text: str) -> Choice:
        if self.several and statements[-1].praised:
            hedged = any(one.hedged for one in statements)
            return self._decided([letter for one in statements for letter in one.letters], "stated", hedged=hedged)
        last = deciding(statements, text)
        if last is None and self.several:
            return self._decided([letter for one in statements for letter in one.letters], "stated")
        if last is None:
            return Choice((), "several", Status.UNPARSED)
        rule = "stated-text" if last.by_text else "stated"
        if _ALSO.search(text, last.end):
            return Choice((), "hedged", Status.UNPARSED)
        return self._decided(last.letters, rule, hedged=last.hedged, contradicted=last.contradicted)

    def _leading(self, text: str) -> Choice | None:
        text = self._without_echo(text)
        letters = self._letters(text)
        run, denials = letters.run(0), denied(letters)
        if run is not None and not _overlaps(run, denials):
            line = text[: run.end].partition("\n")[0]
            alone = len(run.letters) == 1 and not words(line[1:]) and text[run.end :].startswith("\n")
            starts = [one for one in self._at_line_starts(letters) if one.letters != run.letters]
            others = [one for one in starts if not _overlaps(one, denials)]
            if alone or not others:
                return self._of_run(run, "leading")
            return self._decided([letter for one in (run, *others) for letter in one.letters], "enumerated")
        first = re.split(r"(?<=[.!?])\s|\n", text, maxsplit=1)[0] if text else ""
        first = re.split(r"[,;:]\s| - ", first, maxsplit=1)[0] if self.texts.whole(first) is None else first
        named = self.texts.whole(first)
        return self._of_named(named, "leading-text") if named and not self._rivals(text[len(first) :], named) else None

    def _rivals(self, rest: str, named: Named) -> bool:
        """Whether other options are named after the first one, as in a list."""
        return re.match(r"\s*[,;:]?\s*(?:or\b|and\b)", rest) is not None or any(
            one.own
            and one.letters != named.letters
            and re.search(r"[,;]\s*$|\n\s*[-•]?\s*$", rest[: one.start])
            and not rest[: one.start].strip(" ,;-•\n")
            for one in self.texts.within(rest)
        )

    def _marked(self, letters: Letters, denials: Sequence[Run]) -> Choice | None:
        runs = list[Run]()
        for item in letters.each():
            before = letters.text[: item.start]
            sure = item.loud or item.told or _OPTION_BEFORE.search(before)
            if not sure or _NO_LETTER_AFTER.search(before):
                continue
            run = letters.list_at(item.start)
            if run is not None and set(run.letters) <= set(self.order) and not _overlaps(run, denials):
                runs.append(run)
        found = [letter for one in runs for letter in one.letters]
        return self._decided(found, "marked", hedged=any(one.hedged for one in runs)) if found else None

    def _lone(self, letters: Letters, denials: Sequence[Run]) -> Choice | None:
        if len(words(letters.text)) > LONGEST_LONE:
            return None
        items = [one for one in letters.each() if not one.small and one.letter in self.order]
        runs = [run for item in items if (run := letters.run(item.start)) is not None]
        kept = [one for one in runs if not _overlaps(one, denials) and not _NO_LETTER_AFTER.search(letters.text[: one.start])]
        found = {letter for one in kept for letter in one.letters}
        others = [one for one in items if one.letter not in found]
        if not kept or any(one.letter != "A" and not _denies(denials, one.start) for one in others):
            return None
        return self._decided(found, "lone", hedged=any(one.hedged for one in kept))

    def _contained(self, text: str) -> Choice | None:
        count = len(words(text))
        if count > LONGEST_CONTAINED:
            return None
        every = [one for one in self.texts.within(text) if len(one.letters) == 1]
        without = _denied(text, every)
        found = [one for one in every if one not in without]
        if count > _LONG and {one.letters[0] for one in without} | {one.letters[0] for one in found} != set(self.order):
            found = [one for one in found if not set(words(text[one.start : one.end])) <= _SAYS_LITTLE]
        if not found:
            return None
        between = [text[one.end : other.start] for one, other in pairwise(found) if one.letters != other.letters]
        hedged = any(_OR_BETWEEN.search(gap) and len(gap.split()) <= 4 for gap in between)
        return self._decided([letter for one in found for letter in one.letters], "contained-text", hedged=hedged)

    def _without_question(self, text: str) -> str:
        for one in self.asked:
            text = re.sub(re.escape(one), "\n", text, flags=re.IGNORECASE)
        return text.strip()

    def _without_echo(self, text: str) -> str:
        """The text without a list of all options in order, each with its letter or not."""
        pattern = r"\W*".join(rf"(?:\(?{option.letter}\s*[.):]*\s*)?{re.escape(plain(option.text))}" for option in self.options)
        less = re.sub(rf"(?:\boptions?\s*:?\s*|\bchoices\s*:?\s*)?\(?{pattern}(?!\w)[.\s]*", "\n", text, flags=re.IGNORECASE)
        return text if less == text or len(self.options) < 2 else less.strip(" \n.:;,-")

    def _is_echo(self, run: Run, text: str) -> bool:
        return run.letters == self.order and len(self.order) > 1 and not self._without_echo(text)

    def _option_declines(self, text: str) -> bool:
        """Whether an option itself speaks of nothing or of what can't be told, and the text names it."""
        own = [text[one.start : one.end] for one in self.texts.within(text) if one.own]
        return any(declined(one, Status.REFUSED) or declined(one, Status.ABSTAINED) for one in own
        )  # fmt: skip

    def _at_line_starts(self, letters: Letters) -> list[Run]:
        """Runs that begin a line with a marked letter."""
        starts = [one for one in letters.each() if one.marked and _LINE_START.search(letters.text[: one.start])]
        return [run for one in starts if (run := letters.run(one.start)) is not None]

    def _letters(self, text: str) -> Letters:
        return Letters(self.texts, frozenset(self.order), text)

    def _of_run(self, run: Run, rule: str) -> Choice:
        return self._decided(run.letters, rule, hedged=run.hedged, contradicted=run.contradicted)

    def _of_named(self, named: Named, rule: str) -> Choice | None:
        return self._decided(named.letters, rule) if len(named.letters) == 1 else None

    def _decided(self, letters: Iterable[str], rule: str, *, hedged: bool = False, contradicted: bool = False) -> Choice:
        """A choice of these letters, unless something speaks against it."""
        chosen = frozenset(letters)
        why = "hedged" if hedged else "contradictory" if contradicted else ""
        if not chosen <= set(self.order):
            why = "no-such-option"
        elif len(chosen) > 1 and not self.several:
            why = why or "several"
        if why:
            return Choice((), why, Status.UNPARSED)
        return Choice(tuple([letter for letter in self.order if letter in chosen]), rule, Status.ANSWERED)


@lru_cache(1 << 12)
def _texts_of(options: tuple[Option, ...]) -> OptionTexts:
    return OptionTexts(options)


def _overlaps(run: Run, others: Iterable[Run]) -> bool:
    return any(one.start < run.end and run.start < one.end for one in others)


def _denies(denials: Iterable[Run], place: int) -> bool:
    return any(one.start <= place < one.end for one in denials)


def _denied(text: str, named: Sequence[Named]) -> list[Named]:
    """What a text says not to be there; "no" before a list that commas and "or" join denies all of it."""
    found, end = list[Named](), None
    for one in named:
        before = re.split(r"[.;!?\n]", text[: one.start])[-1]
        carried = end is not None and re.fullmatch(
            r"\s*(?:,|,?\s*n?or)\s*(?:an?\s+|the\s+)?", text[end : one.start], re.IGNORECASE
        )
        by_before = bool(carried or _DENIED_BEFORE.search(before))
        end = one.end if by_before else None
        if by_before or _DENIED_AFTER.match(text, one.end):
            found.append(one)
    return found
