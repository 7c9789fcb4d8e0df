"""Letters out of a reply to a question of choice, by rules in a fixed order; where none fits there is no answer, never a guess.

What is read is the part after any reasoning (`final.py`), in plain characters (`plain.py`), without a repetition of the
question. The first rule that reads something decides:

1. `answer-tag`, `boxed`, `json`: a wrapped answer; what is inside is read by the rules below.
2. `letter`, `letters`: the whole reply is a letter or a list of letters, with or without the texts of their options.
3. `text`, `synonym`, `texts`: the whole reply is an option's text, another name of its label, or a list of options' texts.
4. `stated`, `stated-text`: a sentence states the answer. Of several statements the last counts where it is called final or a
   turn of speech ("wait", "so", "therefore") leads to it. In multiple choice, options that are called right one by one add up.
5. `leading`, `enumerated`, `leading-text`: the first line is, or begins with, the answer, and an explanation follows.
6. a refusal, or the words that no option fits; what a "but" leads on to is read by the rules above and below.
7. `marked`: exactly one letter stands in brackets, in bold, after "option", or before its own text.
8. `lone`: a reply of a few words holds exactly one capital that can be no article.
9. `contained-text`: exactly one option's text (or another name of its label) occurs; in multiple choice, all that do.
10. an abstention: what is asked for isn't there.

A list of all options in order is an echo of the question, and is taken out before. From rule 4 on nothing counts that the
reply denies or only supposes, see `denial.py`; rules 7 to 9 stand in `scattered.py` and `contained.py`.

In multiple choice every letter of a list counts. Reasons for UNPARSED: `several` (more than one answer to a single choice),
`hedged` ("A or B"), `contradictory` (a letter with another option's text), `no-such-option`, `echo`, and `nothing-read`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ...schema.errors import UsageError
from ...schema.question import Kind, Option, Question
from .contained import contained
from .declining import declined, fits_none
from .denial import words_denied
from .final import final, reasoned
from .letters import Letters, Run, overlaps
from .option_texts import Named, OptionTexts, words
from .plain import plain
from .scattered import lone, marked
from .statements import Statement, deciding, denied, stated
from .status import Status
from .wrapped import wrapped

_NEXT_QUESTION = re.compile(r"\n\s*(?:#+\s*)?(?:Question|Q)\s*\d*\s*[:.]|(?<=[\w.)])[ \t]+Question\s*\d*:")
_LINE_START = re.compile(r"(?:^|\n)[ \t]*(?:[-•][ \t]*)?$")
_ALSO = re.compile(
    r"\b(?:(?:could|might|may) also be|or (?:possibly|maybe|perhaps)|(?:maybe|perhaps|possibly)(?: even)?)\s+(?=\S)",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(
    r"\b(?:no,? wait|wait|on second thought|scratch that|correction|I mean|actually|on reflection)\b", re.IGNORECASE
)
_ENUMERATED = re.compile(r"^\s*\d+[.)]\s+(?=[A-Za-z])")
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
        self._known = dict[str, tuple[Letters, list[Run]]]()

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
        bare = self._without_echo(self._without_question(plain(text)))
        return self._by_form(bare) or self._by_content(bare)

    def _by_form(self, text: str) -> Choice | None:
        """Rules 2 to 5: the form of the reply says what its answer is."""
        if not text:
            return Choice((), "echo", Status.UNPARSED)
        letters, denials = self._letters(text)
        if (whole := letters.run(0, whole=True)) is not None:
            return self._of_run(whole, "letter" if len(whole.letters) == 1 else "letters")
        if found := self._whole_text(text) or self._packed(text):
            return found
        if statements := stated(letters, self.texts, denials):
            return self._of_statements(statements, letters)
        return self._leading(text)

    def _by_content(self, rest: str) -> Choice:
        """Rules 6 to 10: what the reply speaks of."""
        if not self._option_declines(rest):
            if (refused := declined(rest, Status.REFUSED)) is not None:
                return self._after(refused.rest) or Choice((), "refusal", Status.REFUSED)
            if fits_none(rest):
                return Choice((), "none-fits", Status.ABSTAINED)
        letters, denials = self._letters(rest)
        found = self._of_runs(marked(letters, denials), "marked") or self._of_runs(lone(letters, denials), "lone")
        if found := found or self._contained(rest):
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
        run = self._letters(text)[0].packed(0) if self.several else None
        return self._decided(run.letters, "letters") if run and not text[run.end :].strip(" .()") else None

    def _of_statements(self, statements: Sequence[Statement], letters: Letters) -> Choice:
        if self.several and statements[-1].praised:
            hedged = any(one.hedged for one in statements)
            return self._decided([letter for one in statements for letter in one.letters], "stated", hedged=hedged)
        last = deciding(statements, letters.text)
        if last is None and self.several:
            return self._decided([letter for one in statements for letter in one.letters], "stated")
        if last is None:
            return Choice((), "several", Status.UNPARSED)
        rule = "stated-text" if last.by_text else "stated"
        if self._also(letters, last.end):
            return Choice((), "hedged", Status.UNPARSED)
        return self._decided(last.letters, rule, hedged=last.hedged, contradicted=last.contradicted)

    def _leading(self, text: str) -> Choice | None:
        letters, denials = self._letters(text)
        run = letters.run(0)
        if run is not None and not overlaps(run, denials):
            if self._wavers(letters, run):
                return Choice((), "hedged", Status.UNPARSED)
            line = text[: run.end].partition("\n")[0]
            alone = len(run.letters) == 1 and not words(line[1:]) and text[run.end :].startswith("\n")
            starts = [one for one in self._at_line_starts(letters) if one.letters != run.letters]
            others = [one for one in starts if not overlaps(one, denials)]
            if alone or not others:
                return self._of_run(run, "leading")
            return self._decided([letter for one in (run, *others) for letter in one.letters], "enumerated")
        first = re.split(r"(?<=[.!?])\s|\n", text, maxsplit=1)[0] if text else ""
        first = re.split(r"[,;:]\s| - ", first, maxsplit=1)[0] if self.texts.whole(first) is None else first
        named = self.texts.whole(first)
        if self.several and len({one.letters for one in self.texts.within(text)}) > 1:
            return None
        if named is None or self._rivals(text[len(first) :], named) or words_denied(text, 0, len(first.rstrip(" .,:;"))):
            return None
        return self._of_named(named, "leading-text")

    def _wavers(self, letters: Letters, run: Run) -> bool:
        """Whether another letter or option may be meant as well, or is meant after all."""
        if self._also(letters, run.end):
            return True
        turn = _TAKEN_BACK.search(letters.text, run.end)
        return turn is not None and any(
            one.start > turn.start() and one.letter in letters.known and one.letter not in run.letters for one in letters.each()
        )

    def _also(self, letters: Letters, place: int) -> bool:
        """Whether "maybe" and the like lead to another letter or option after a place."""
        for found in _ALSO.finditer(letters.text, place):
            named = self.texts.at(letters.text, found.end())
            if letters.run(found.end()) or (named and not re.search(r"\w", letters.text[found.end() : named.start])):
                return True
        return False

    def _rivals(self, rest: str, named: Named) -> bool:
        """Whether other options are named after the first one, as in a list."""
        return re.match(r"\s*[,;:]?\s*(?:or\b|and\b)", rest) is not None or any(
            one.own
            and one.letters != named.letters
            and re.search(r"[,;]\s*$|\n\s*[-•]?\s*$", rest[: one.start])
            and not rest[: one.start].strip(" ,;-•\n")
            for one in self.texts.within(rest)
        )

    def _of_runs(self, runs: Sequence[Run], rule: str) -> Choice | None:
        """What these letters say together; None where there are none."""
        found = [letter for one in runs for letter in one.letters]
        return self._decided(found, rule, hedged=any(one.hedged for one in runs)) if found else None

    def _contained(self, text: str) -> Choice | None:
        found, hedged = contained(self.texts, text, order=self.order, asked=" ".join(self.asked))
        return self._decided([one.letters[0] for one in found], "contained-text", hedged=hedged) if found else None

    def _without_question(self, text: str) -> str:
        for one in self.asked:
            text = re.sub(re.escape(one), "\n", text, flags=re.IGNORECASE)
        return (_ENUMERATED.sub("", text) if not re.search(r"\n\s*\d+[.)]\s", text) else text).strip()

    def _without_echo(self, text: str) -> str:
        """The text without a list of all options in order, each with its letter or not."""
        pattern = r"\W*".join(rf"(?:\(?{option.letter}\s*[.):]*\s*)?{re.escape(plain(option.text))}" for option in self.options)
        less = re.sub(rf"(?:\boptions?\s*:?\s*|\bchoices\s*:?\s*)?\(?{pattern}(?!\w)[.\s]*", "\n", text, flags=re.IGNORECASE)
        return text if less == text or len(self.options) < 2 else less.strip(" \n.:;,-")

    def _option_declines(self, text: str) -> bool:
        """Whether an option itself speaks of nothing or of what can't be told, and the text names it."""
        own = [text[one.start : one.end] for one in self.texts.within(text) if one.own]
        return any(declined(one, Status.REFUSED) or declined(one, Status.ABSTAINED) for one in own
        )  # fmt: skip

    def _at_line_starts(self, letters: Letters) -> list[Run]:
        """Runs that begin a line with a marked letter."""
        starts = [one for one in letters.each() if one.marked and _LINE_START.search(letters.text[: one.start])]
        return [run for one in starts if (run := letters.run(one.start)) is not None]

    def _letters(self, text: str) -> tuple[Letters, list[Run]]:
        """The letters of a text, and those of them that it denies."""
        if text not in self._known:
            letters = Letters(self.texts, frozenset(self.order), text)
            self._known[text] = letters, denied(letters)
        return self._known[text]

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
