"""A run on the Hub: its model, card and facts in one commit; no checkpoint, no log, nothing that names this machine."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...schema.disk import write_text
from ...schema.errors import PublishError, UsageError
from .data_rights import SourceUse
from .model_card import model_card
from .run_folder import CARD, CONFIG, DATA, ENVIRONMENT, METRICS, RunFolder
from .told_settings import relative

WANTED = (".safetensors", ".json", ".jinja", ".txt", ".model")
"""Ends of names of a model's files that others need; a pickle of arguments isn't one of them."""
_NAMES_A_PLACE = ("path", "_file", "_dir")


def check_rights(sources: Iterable[SourceUse], reason: str | None = None) -> None:
    """Nothing, where a model of these data may be passed on; to be asked before training begins, too.

    Raises:
        UsageError: rights that nobody grants, and no reason given or recorded.
    """
    doubtful = [one for one in sources if one.refused and not one.overridden]
    if not doubtful or reason:
        return
    said = "; ".join(f"{one.source} ({', '.join(one.licences)}): {', '.join(one.refused)}" for one in doubtful)
    raise UsageError(
        f"trained on data that nobody lets others pass on, as far as is known: {said}; expected rights to all that a model may "
        'repeat; leave them out, ask their owners, or say why it may be pushed (--reason "…", while training --push_reason "…")'
    )


def ready(
    sources: Iterable[SourceUse],
    repo: str,
    *,
    private: bool | None = None,
    reason: str | None = None,
    token: str | None = None,
) -> str:
    """The full name of the repository that a model of these data may be pushed to; made where it isn't there.

    Raises:
        UsageError: rights that nobody grants and no reason, no token, or a bad name.
        PublishError: the Hub can't be reached or refuses.
    """
    from huggingface_hub import HfApi, get_token

    check_rights(sources, reason)
    if not (held := token or get_token()):
        raise UsageError("no token; expected HF_TOKEN or a login; run `hf auth login` with one that may write")
    with _told(repo, held):
        return HfApi(token=held, library_name="medloom").create_repo(repo, private=private, exist_ok=True).repo_id


def push(run: RunFolder, repo: str, *, private: bool | None = None, reason: str | None = None, token: str | None = None) -> str:
    """The address of the commit that holds the run.

    Args:
        run: Finished: with model and card.
        repo: org/name, or a name alone of the token's owner; made where it isn't there.
        private: Of a new repository; None leaves it to its owner's settings.
        reason: Why it may be passed on though some of its data may not; stands on the card.
        token: That may write; None takes HF_TOKEN's or the login's.

    Raises:
        UsageError: an unfinished run, no token, a bad name, or rights that nobody grants and no reason.
        PublishError: the Hub can't be reached or refuses.
    """
    from huggingface_hub import HfApi, get_token

    if not run.model.is_dir() or not (run.root / CARD).is_file():
        raise UsageError(
            f"{run.root.name}: no model or no card; expected a run that came to its end; train it to its end first"
        )
    whole = ready(run.sources, repo, private=private, reason=reason, token=token)
    held = token or get_token()
    with _told(whole, held), tempfile.TemporaryDirectory(dir=run.root, prefix=".push-") as folder:
        stage(run, Path(folder), repo=whole, reason=reason)
        message = f"{run.data['method'].upper()} of {run.data['base']}"
        api = HfApi(token=held, library_name="medloom")
        done = api.upload_folder(repo_id=whole, folder_path=folder, commit_message=message)
    return str(done.commit_url)


def stage(run: RunFolder, folder: Path, *, repo: str, reason: str | None = None) -> None:
    """Put into a folder what the repository is to hold: weights as links, small files without places of this machine."""
    for path in sorted(run.model.iterdir()):
        if path.suffix not in WANTED:
            continue
        if path.name.endswith("config.json"):
            cleaned = _placeless(json.loads(path.read_text(encoding="utf-8")))
            write_text(folder / path.name, [json.dumps(cleaned, indent=2, ensure_ascii=False) + "\n"])
        else:
            _linked(path, folder / path.name)
    for name in (CONFIG, DATA, ENVIRONMENT, METRICS):
        if (run.root / name).is_file():
            shutil.copyfile(run.root / name, folder / name)
    write_text(folder / CARD, [model_card(run, repo=repo, reason=reason)])


def _placeless(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _placeless(one, str(key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_placeless(one, name) for one in value]
    return relative(value) if isinstance(value, str) and name.endswith(_NAMES_A_PLACE) else value


def _linked(path: Path, place: Path) -> None:
    try:
        os.link(path, place)
    except OSError:
        shutil.copyfile(path, place)


@contextmanager
def _told(repo: str, token: str | None) -> Iterator[None]:
    """Faults of the Hub and of the way there as ours; no message repeats a token."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    network: Any = HfHubHTTPError.__mro__[1]  # of httpx or httpx2: whichever the installed huggingface_hub is made with
    try:
        yield
    except HFValidationError as error:
        raise UsageError(f"repo {repo!r}: {error}; expected org/name") from error
    except (OSError, RuntimeError, ValueError, network) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        said = lines[0][:200].replace(token or "\0", "…")
        raise PublishError(f"{repo}: {said}; expected the Hub to take it; run the same command again") from error
