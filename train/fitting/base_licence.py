"""The licence of a model that training starts from, as its own card states it."""

from __future__ import annotations

from pathlib import Path

from ...schema.hub import named


def base_licence(name: str) -> str | None:
    """The identifier that the Hub knows; None where no card is found, or it says nothing.

    Of a folder its README.md is read, of a repository the cached one, else the Hub's. A Hub that can't be reached is no fault
    here: the card then says that the licence isn't known.
    """
    text = _card(name)
    if text is None:
        return None
    from huggingface_hub import ModelCard

    stated = ModelCard(text, ignore_metadata_errors=True).data.to_dict().get("license")
    if stated == "other":
        return None
    return stated if isinstance(stated, str) else None


def _card(name: str) -> str | None:
    folder = Path(name)
    if folder.is_dir():
        page = folder / "README.md"
        return page.read_text(encoding="utf-8") if page.is_file() else None
    if not named(name):
        return None
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    network: type[Exception] = HfHubHTTPError.__mro__[1]  # pyright: ignore[reportAssignmentType] - of httpx or httpx2
    try:
        return Path(hf_hub_download(name, "README.md", library_name="medloom")).read_text(encoding="utf-8")
    except (OSError, ValueError, network):
        return None
