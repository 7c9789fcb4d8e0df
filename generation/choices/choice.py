"""Single choice over the labels of a subset, after Med-MAT: the image, its subset's way of asking, up to four options.

One question per label that a subset states of the whole image. The right answer stands anywhere with equal chance; wrong
options are labels of the same subset that are known to be absent (see `distractors.py` for how). Labels are those of the
canonical table, so that two names of one thing never meet. Where nothing can be wrong, nothing is asked.

In training, a share of the samples can bring a question of four options along that is neither medical nor about the image
(`general.yaml`), so that few options don't mean a certain subset; such questions are flagged `mixed-in`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from ...schema.errors import UsageError
from ...schema.question import Kind, Option, Question
from ...schema.triplet import BROAD_TASKS, TASKS
from ..case import Asking, Case, Record, area_name
from ..chance import Chance
from ..pools import Named, Pool, Pools
from ..rules import Rule
from ..wording import Wording, wordings
from .distractors import LETTERS, Rivals, Ways, kept, normal, options, telling, words, wrong_ones
from .evenness import Evenness, evenness
from .modality_words import picture

SET = "choice"
MIXED_IN = "mixed-in"
PARTS = (*BROAD_TASKS, "normality", "other")
"""Kinds of subset that are asked in their own way."""
_UNSAID = ("other", "unspecified", "whole-body", "phantom")


def subset_choice(
    asking: Asking,
    pools: Pools,
    *,
    most_options: int = 4,
    mixed_in: float = 0.0,
    even: Sequence[str] = (),
    most: int | None = None,
) -> Rule:
    """A rule that asks one question of choice per present label of each subset.

    Args:
        asking: Suite and rule.
        pools: Of the release.
        most_options: Two to eight.
        mixed_in: Share of the training samples that bring a question of general knowledge along.
        even: Splits in which a source's labels of a subset are right about equally often: of common ones fewer are asked.
        most: Questions per sample, drawn by chance; None asks all.

    Raises:
        UsageError: A number that can't be used.
    """
    if not 2 <= most_options <= len(LETTERS) or not 0 <= mixed_in <= 1 or (most is not None and most < 1):
        found = f"most_options {most_options}, mixed_in {mixed_in}, most {most}"
        raise UsageError(f"subset-choice: {found}; expected 2 to {len(LETTERS)}, 0 to 1, and 1 or more")
    rivals = {subset: Rivals(pool) for subset, pool in pools.subsets.items()}
    instruction = wordings(SET, "instruction")[0].fill()
    asker = _Asker(asking, pools, rivals, most_options - 1, evenness(asking, pools, even), instruction)
    general = wordings("general", "general")

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        asked = kept(_stated(case), most, chance)
        for place, state in enumerate(asked):
            if question := asker.label(case, state, place=place, chance=chance):
                yield question
        if mixed_in and case.record["split"] == "train" and chance.unit() < mixed_in:
            yield asker.general(case, chance.one(general), place=len(asked), chance=chance)

    return rule


def part_of(task: str, pool: Pool) -> str:
    """Which wordings a subset takes, by its task; where something faces a normal state alone, those of normality."""
    if len(pool) == 2 and sum(normal(one.name) for one in pool) == 1:
        return "normality"
    broad = TASKS.root(task).code
    return broad if broad in BROAD_TASKS else "other"


def _stated(case: Case) -> list[Record]:
    """The first present state of each label and subset, whatever its side."""
    found: dict[tuple[str, str], Record] = {}
    for one in case.present:
        found.setdefault((one["subset"], one["label_id"]), one)
    return list(found.values())


@dataclass(frozen=True, eq=False)
class _Asker:
    asking: Asking
    pools: Pools
    rivals: Mapping[str, Rivals]
    most_wrong: int
    even: Evenness
    instruction: str

    def label(self, case: Case, state: Record, *, place: int, chance: Chance) -> Question | None:
        """The question about a label; none where nothing is known to be wrong."""
        rivals = self.rivals.get(state["subset"])
        known = rivals.absent(case, self.pools, beside=[state["label_id"]]) if rivals and case.absent else []
        if rivals is None or not known:
            return None
        if self.even.skips(case, state["label_id"], rivals.pool, place=state["subset"], chance=chance):
            return None
        right, wrong = Named(state["label"], state["label_id"]), wrong_ones(known, self.most_wrong, chance)
        worded = _worded(case, state, part_of(state["task"], rivals.pool), telling([right, *wrong]), chance)
        if worded is None:
            return None
        given, letters = options([right], wrong, chance)
        return self.asking.question(
            case,
            place=place,
            kind=Kind.SINGLE_CHOICE,
            about=state,
            granularity="image",
            question=worded[1],
            instruction=self.instruction,
            options=given,
            answer=letters[0],
            letters=letters,
            labels=(right.id,),
            wording=worded[0],
        )

    def general(self, case: Case, item: Wording, *, place: int, chance: Chance) -> Question:
        """A question of general knowledge beside a sample: its options are no labels."""
        drawn = chance.shuffled([item.texts["right"], *item.texts["wrong"].split(" | ")])
        letter = LETTERS[drawn.index(item.texts["right"])]
        return self.asking.question(
            case,
            place=place,
            kind=Kind.SINGLE_CHOICE,
            about=None,
            granularity="image",
            question=item.fill(),
            instruction=self.instruction,
            options=tuple(Option(one, text) for one, text in zip(LETTERS, drawn, strict=False)),
            answer=letter,
            letters=(letter,),
            wording=item.id,
            flags=(MIXED_IN,),
        )


def _worded(case: Case, state: Record, part: str, secrets: frozenset[str], chance: Chance) -> tuple[str, str] | None:
    """Id and text of a question that shares no word with one option and not with another; None where there is none."""
    wording = _ways(part).silent(secrets, chance) or _ways("other").silent(secrets, chance)
    if wording is None:
        return None
    area, shown = area_name(state["area"]).lower(), picture(case.modality)
    bare = state["area"] in _UNSAID or words(area) <= words(shown) or not secrets.isdisjoint(words(area))
    return wording.id, wording.fill("question" if bare else "placed", picture=shown, area=area)


@cache
def _ways(part: str) -> Ways:
    return Ways(wordings(SET, part))
