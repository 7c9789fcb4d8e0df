"""Single and multiple choice after GMAI-MMBench: the question names modality, clinical task and granularity.

**Whole image.** One question per present label of a clinical task (`image_choice`), or one about all of them together
(`image_multiple`). Wrong options are the source's other labels of that task that are known to be absent.

**Regions** (`region_choice`). One question per label, way of pointing and image, about a region drawn by chance. Wrong
options are labels of a pool that all sources of one modality, clinical task and granularity share, without what is, or may
be, on the image: labels that are present count as wrong only where none of their regions touches one of the label's. A mask
or contour can be pointed at by mask, by contour and by its tight box; a box made so is flagged `derived-box`. Points are no
granularity of GMAI-MMBench.

The number of wrong options is uniform from 1 to 4, or to as many as there are. Labels that serve none of the 18 clinical
tasks aren't asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from typing import Any

from ...schema.clinical_tasks import CLINICAL_TASKS
from ...schema.errors import UsageError
from ...schema.question import Kind, Prompt, Question
from ..case import Asking, Case, Record
from ..chance import Chance
from ..pools import Named, Pools, kin
from ..rules import Rule
from ..wording import Wording, wordings
from .distractors import LETTERS, Rivals, Ways, clear_of, kept, options, some_wrong, telling
from .evenness import Evenness, evenness
from .modality_words import picture
from .pointable import allowed, pointable, regions_of
from .pointed import POINTED

SET = "pooled-choice"
DERIVED_BOX = "derived-box"
_NO_TASK = "None"
_MOST_SHOWN = 6
"""Options of a question with several right ones: A to F."""


def image_choice(
    asking: Asking, pools: Pools, *, most_wrong: int = 4, even: Sequence[str] = (), most: int | None = None
) -> Rule:
    """A rule that asks one question of one choice per present label on the whole image.

    Args:
        asking: Suite and rule.
        pools: Of the release.
        most_wrong: Wrong options, 1 to 7.
        even: Splits in which a source's labels of a task are right about equally often: of common ones fewer are asked.
        most: Questions per sample, drawn by chance; None asks all.

    Raises:
        UsageError: A number that can't be used.
    """
    _check(asking, most_wrong, most)
    asker = _Asker(asking, pools, most_wrong, evenness(asking, pools, even))

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        for place, state in enumerate(kept(_distinct(case.present), most, chance)):
            if question := asker.image(case, state, place=place, chance=chance):
                yield question

    return rule


def image_multiple(asking: Asking, pools: Pools, *, most_options: int = _MOST_SHOWN, even: Sequence[str] = ()) -> Rule:
    """A rule that asks one question with several right options per clinical task with two present labels or more.

    Every option that is present is right; of more present labels than fit beside one wrong option, some are drawn.

    Args:
        asking: Suite and rule.
        pools: Of the release.
        most_options: 3 to 8.
        even: Splits in which a shown label is about as often right as wrong: common ones are shown less where they're right,
            rare ones where they're wrong.

    Raises:
        UsageError: A number that can't be used.
    """
    if not 3 <= most_options <= len(LETTERS):
        raise UsageError(f"{asking.rule}: most_options {most_options}; expected 3 to {len(LETTERS)}")
    asker = _Asker(asking, pools, most_options, evenness(asking, pools, even))

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        tasks: dict[str, list[Record]] = {}
        for state in _distinct(case.present):
            tasks.setdefault(state["clinical_task"], []).append(state)
        for place, states in enumerate(tasks.values()):
            if question := asker.several(case, states, place=place, chance=chance):
                yield question

    return rule


def region_choice(
    asking: Asking,
    pools: Pools,
    *,
    granularities: Sequence[str] = ("box", "mask", "contour"),
    derived_boxes: bool = True,
    min_area_share: float = 0.0,
    elsewhere: bool = True,
    most_wrong: int = 4,
    even: Sequence[str] = (),
    most: int | None = None,
) -> Rule:
    """A rule that asks what a box, mask or contour shows.

    Args:
        asking: Suite and rule.
        pools: Of the release.
        granularities: Ways of pointing: box, mask, contour.
        derived_boxes: Whether masks and contours are also pointed at by their tight boxes.
        min_area_share: Smallest region, as a share of the image.
        elsewhere: Whether labels that are on the image, but clear of this one's regions, may be wrong options.
        most_wrong: Wrong options, 1 to 7.
        even: Splits in which, of two labels of a pool, each is right beside the other about equally often.
        most: Labels asked about per sample, drawn by chance; None takes all.

    Raises:
        UsageError: A value that can't be used.
    """
    _check(asking, most_wrong, most)
    if not set(granularities) <= POINTED.keys() or not granularities or not 0 <= min_area_share < 1:
        found = f"granularities {list(granularities)}, min_area_share {min_area_share}"
        raise UsageError(f"{asking.rule}: {found}; expected some of {', '.join(POINTED)}, and a share from 0 to below 1")
    asker = _Asker(asking, pools, most_wrong, evenness(asking, pools, even))
    ways = {given: allowed(given, granularities, derived_boxes) for given in POINTED}

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        place = 0
        regions = regions_of(case, min_area_share) if case.record["annotations"] else {}
        for state in kept(_distinct(case.located()), most, chance):
            apart = clear_of(case, state["label_id"]) if elsewhere else frozenset[str]()
            for kind, some in pointable(state["label_id"], regions, ways).items():
                if question := asker.region(case, chance.one(some), kind, apart=apart, place=place, chance=chance):
                    yield question
                place += 1

    return rule


@dataclass(frozen=True, eq=False)
class _Asker:
    asking: Asking
    pools: Pools
    most: int
    """Wrong options of one choice; options in all of several."""
    even: Evenness

    @cached_property
    def sources(self) -> Mapping[tuple[str, str], Rivals]:
        """Source and clinical task → labels of whole images."""
        return {place: Rivals(pool) for place, pool in self.pools.sources.items()}

    @cached_property
    def shared(self) -> Mapping[tuple[str, str, str], Rivals]:
        """Modality, clinical task and way of pointing → labels of regions that can be pointed at so."""
        found: dict[tuple[str, str, str], set[Named]] = {}
        for (modality, task, given), pool in self.pools.regions.items():
            for kind in POINTED.get(given, ()):
                found.setdefault((modality, task, kind), set()).update(pool)
        return {place: Rivals(tuple(sorted(labels)), regions=True) for place, labels in found.items()}

    def image(self, case: Case, state: Record, *, place: int, chance: Chance) -> Question | None:
        """A question on the whole image with one right answer, a present label."""
        task = state["clinical_task"]
        rivals = self.sources.get((case.record["source"], task))
        known = rivals.absent(case, self.pools, beside=[state["label_id"]]) if rivals else []
        if not rivals or not known or self.even.skips(case, state["label_id"], rivals.pool, place=task, chance=chance):
            return None
        wrong = some_wrong(known, self.most, chance)
        return self._asked(case, [_named(state)], wrong, about=state, place=place, chance=chance)

    def several(self, case: Case, states: Sequence[Record], *, place: int, chance: Chance) -> Question | None:
        """A question on the whole image with several right answers, present labels of one clinical task."""
        rivals = self.sources.get((case.record["source"], states[0]["clinical_task"]))
        shown = self.even.shown(case, [_named(one) for one in states], right=True, chance=chance)
        right = _unrelated(shown, chance)[: self.most - 1]
        if rivals is None or len(right) < 2:
            return None
        known = rivals.absent(case, self.pools, beside=[one.id for one in right])
        known = self.even.shown(case, known, right=False, chance=chance)
        wrong = some_wrong(known, self.most - len(right), chance)
        return self._asked(case, right, wrong, about=states[0], place=place, chance=chance)

    def region(
        self, case: Case, region: Record, kind: str, *, apart: frozenset[str], place: int, chance: Chance
    ) -> Question | None:
        """A question on one annotation, pointed at by box, mask or contour; labels that lie apart may be wrong options."""
        about = case.state_of(region)
        task = about["clinical_task"]
        rivals = self.shared.get((case.modality, task, kind))
        if rivals is None:
            return None
        uneven = case.record["split"] not in self.even.splits
        admits = None if uneven else partial(self._admits, case, about, kind=kind, apart=apart, chance=chance)
        wrong = some_wrong(rivals.not_present(case, apart=apart), self.most, chance, admits=admits)
        derived = kind == "box" and (region["granularity"] != "box" or region["origin"] == "derived")
        if not wrong:
            return None
        more = {
            "granularity": kind,
            "prompts": (Prompt(kind, region["id"], tuple(region["box_xyxy_px"]) if kind == "box" else None),),
            "flags": (DERIVED_BOX,) if derived else (),
        }
        return self._asked(case, [_named(region)], wrong, about=about, place=place, chance=chance, **more)

    def _admits(self, case: Case, about: Record, wrong: Named, *, kind: str, apart: frozenset[str], chance: Chance) -> bool:
        right, task = about["label_id"], about["clinical_task"]
        return wrong.id in apart or self.even.admits(case, right, wrong.id, task=task, kind=kind, chance=chance)

    def _asked(
        self,
        case: Case,
        right: Sequence[Named],
        wrong: Sequence[Named],
        *,
        about: Record,
        place: int,
        chance: Chance,
        granularity: str = "image",
        **more: Any,
    ) -> Question | None:
        """The question, unless nothing is known to be wrong or the task is none of GMAI's."""
        if not wrong or about["clinical_task"] == _NO_TASK:
            return None
        several, secrets = len(right) > 1, telling([*right, *wrong])
        frame = _ways("several" if several else granularity).silent(secrets, chance)
        cue = _cues(about["clinical_task"]).silent(secrets, chance)
        if frame is None or cue is None:
            return None
        given, letters = options(right, wrong, chance)
        return self.asking.question(
            case,
            place=place,
            kind=Kind.MULTIPLE_CHOICE if several else Kind.SINGLE_CHOICE,
            about=about,
            granularity=granularity,
            question=_filled(frame, cue, case.modality),
            instruction=_instruction(several),
            options=given,
            answer=",".join(letters),
            letters=letters,
            labels=tuple(one.label_id for one in given if one.letter in letters),
            wording=f"{frame.id}+{cue.id}",
            **more,
        )


def _check(asking: Asking, most_wrong: int, most: int | None) -> None:
    if not 1 <= most_wrong < len(LETTERS) or (most is not None and most < 1):
        expected = f"1 to {len(LETTERS) - 1} wrong options, and 1 question or more"
        raise UsageError(f"{asking.rule}: most_wrong {most_wrong}, most {most}; expected {expected}")


def _distinct(states: Iterable[Record]) -> list[Record]:
    """The first state of each label, whatever its side."""
    found: dict[str, Record] = {}
    for one in states:
        found.setdefault(one["label_id"], one)
    return list(found.values())


def _named(one: Record) -> Named:
    return Named(one["label"], one["label_id"])


def _unrelated(labels: Sequence[Named], chance: Chance) -> list[Named]:
    """Labels in drawn order without those that are kin to an earlier one."""
    found: list[Named] = []
    for one in chance.shuffled(labels):
        if not any(kin(one.id, other.id) for other in found):
            found.append(one)
    return found


@lru_cache(1 << 12)
def _filled(frame: Wording, cue: Wording, modality: str) -> str:
    return frame.fill(picture=picture(modality), thing=cue.fill())


def _instruction(several: bool) -> str:
    return _text("instruction-several" if several else "instruction-single")


@cache
def _text(part: str) -> str:
    return wordings(SET, part)[0].fill()


@cache
def _cues(clinical_task: str) -> Ways:
    return _ways(f"cue-{CLINICAL_TASKS.find(clinical_task).code}")


@cache
def _ways(part: str) -> Ways:
    return Ways(wordings(SET, part))
