"""The thread through a card: facts, pictures, and the files, the README last."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ...schema.card_digest import CROISSANT, DATASHEET, FOLDER, LICENCES, PICTURES, digest_of
from ...schema.disk import alone, read_json, write_json, write_text
from ...schema.errors import UsageError
from ...schema.published import Mode
from ...schema.release import Release, work_folder
from .croissant import croissant, repo_of
from .datasheet import Sheet, datasheet
from .facts import DISTRIBUTIONS, CardFacts, gather
from .pictures import Shown, shown
from .plots import plot
from .readme import licences, limitations, readme, regions, sexes

README = "README.md"


def card(
    release: Release,
    *,
    pretty_name: str | None = None,
    repo: str | None = None,
    all_pictures: bool = False,
) -> dict[str, Any]:
    """Write the card into the release; its files with their digests, and what people still have to say.

    The same release and names give the same bytes. What people wrote into DATASHEET.md stays.

    Args:
        release: A folder.
        pretty_name: How people call it; what an earlier card called it, else the repository's or the folder's name.
        repo: `org/name` on the Hub; what an earlier card said, else none: snippets then have a place to fill.
        all_pictures: Shows samples whose pixel rights aren't granted, too.

    Raises:
        UsageError: the repository's name is none, or another card is being made.
        ReleaseError: something the card is made from can't be read.
    """
    if repo is not None and repo.count("/") != 1:
        raise UsageError(f"repo {repo!r}; expected org/name")
    with alone(work_folder(release.root) / "card.lock", busy=f"{release.root}: its card is being made already"):
        earlier = read_json(release.root / CROISSANT)
        repo = repo or repo_of(earlier)
        facts = gather(release, pretty_name=pretty_name or _called(release, earlier, repo), repo=repo)
        pictures = shown(release, everything=all_pictures)
        sheet = _sheet(facts)
        return _written(facts, pictures, sheet)


def _called(release: Release, earlier: Any, repo: str | None) -> str:
    named = earlier.get("alternateName") if isinstance(earlier, Mapping) else None
    return named if isinstance(named, str) else (repo or release.root.name).split("/")[-1]


def _sheet(facts: CardFacts) -> Sheet:
    path = facts.release.root / DATASHEET
    earlier = path.read_text(encoding="utf-8") if path.is_file() else None
    return datasheet(
        facts,
        earlier,
        regions=regions(facts),
        sexes=sexes(facts),
        limited=[one.name for one in facts.sources if one.limit is not None],
        cut=[one.name for one in facts.sources if "cut" in one.recipe],
        withheld_sources=[one.name for one in facts.sources if one.mode is not Mode.FULL],
        withdrawn={one.name: one.withdrawn for one in facts.sources if one.withdrawn},
        group_kinds=facts.group_kinds(),
        versions=sorted({f"MedLoom {one.recipe['versions']['medloom']}" for one in facts.sources}),
    )


def _written(facts: CardFacts, pictures: Shown, sheet: Sheet) -> dict[str, Any]:
    root = facts.release.root
    (root / FOLDER).mkdir(exist_ok=True)
    names = [f"{FOLDER}/{name}.png" for name in PICTURES if _picture(root, name, facts=facts, pictures=pictures)]
    write_text(root / DATASHEET, [sheet.text])
    write_text(root / LICENCES, [licences(facts)])
    write_json(root / CROISSANT, croissant(facts, description=_description(facts), limitations=limitations(facts)))
    write_text(root / README, [readme(facts, pictures)])
    files = [README, DATASHEET, LICENCES, CROISSANT, *names]
    return {
        "release": str(root),
        "pretty_name": facts.pretty_name,
        "repo": facts.repo,
        "card": digest_of(root),
        "files": {name: sha256((root / name).read_bytes()).hexdigest() for name in files},
        "pictures": {"sources": list(pictures.sources), "withheld": dict(pictures.withheld)},
        "gaps": sheet.gaps,
        "kept": list(sheet.kept),
    }


def _picture(root: Path, name: str, *, facts: CardFacts, pictures: Shown) -> bool:
    """Write one of the pictures; False where there is none to show, and then none is left from before."""
    path = root / FOLDER / f"{name}.png"
    body = pictures.png if name not in DISTRIBUTIONS else _plotted(facts, name)
    if body is None:
        path.unlink(missing_ok=True)
        return False
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(body)
    temporary.replace(path)
    return True


def _plotted(facts: CardFacts, name: str) -> bytes | None:
    counted = facts.distributions[name]
    return plot(counted, title=f"Samples by {name}") if counted else None


def _description(facts: CardFacts) -> str:
    count = len(facts.sources)
    return (
        f"{facts.samples:,} medical images from {count} {'source' if count == 1 else 'sources'}, each with one record: "
        f"modality, anatomical area, labels with their state, and {regions(facts)}. Sources keep their owners' licences."
    )
