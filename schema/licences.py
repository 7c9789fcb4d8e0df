"""Licences that medical-imaging datasets come under, and what each lets others do.

Terms are our reading of the licences' own texts, for sorting releases and for reminding; they are no legal advice. A licence
that isn't listed, and `unstated`, say nothing: every term of theirs is None, unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

UNSTATED = "unstated"
_CREATIVE_COMMONS = "https://creativecommons.org/licenses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """What a licence lets others do; None where that isn't known."""

    id: str
    """SPDX identifier, or `LicenseRef-…`."""
    name: str
    address: str = ""
    hub: str = "other"
    """The Hub's identifier."""
    share: bool | None = None
    """Whether copies may be passed on."""
    adapt: bool | None = None
    """Whether changed copies may be passed on: resized, re-coded, cut into slices."""
    commercial: bool | None = None
    attribution: bool = True
    share_alike: bool = False
    """Whether changed copies must come under the same licence."""

    @property
    def known(self) -> bool:
        """Whether it says anything about passing copies on."""
        return self.share is not None


def licence(id: str) -> Licence:
    """The licence of an identifier, as written in any case; one that says nothing where it isn't listed."""
    return _BY_ID.get(id.casefold()) or Licence(id=id, name=id)


def licences() -> list[Licence]:
    """All that are listed, by identifier."""
    return sorted(_BY_ID.values(), key=lambda one: one.id)


def _creative_commons(kind: str, version: str, title: str) -> Licence:
    parts = kind.split("-")
    return Licence(
        id=f"CC-{kind.upper()}-{version}",
        name=f"Creative Commons {title} {version}",
        address=f"{_CREATIVE_COMMONS}/{kind}/{version}/",
        hub=f"cc-{kind}-{version}",
        share=True,
        adapt="nd" not in parts,
        commercial="nc" not in parts,
        share_alike="sa" in parts,
    )


def _unversioned(kind: str, title: str) -> Licence:
    """A Creative Commons licence whose owner gives no version, with the terms that all its versions have in common."""
    stated = _creative_commons(kind, "4.0", title)
    id, name = f"LicenseRef-CC-{kind.upper()}-unversioned", f"Creative Commons {title}, without a version"
    return replace(stated, id=id, name=name, address=f"{_CREATIVE_COMMONS}/", hub="other")


_KINDS = {
    "by": "Attribution",
    "by-sa": "Attribution-ShareAlike",
    "by-nc": "Attribution-NonCommercial",
    "by-nc-sa": "Attribution-NonCommercial-ShareAlike",
    "by-nd": "Attribution-NoDerivatives",
    "by-nc-nd": "Attribution-NonCommercial-NoDerivatives",
}
_FREE = {"share": True, "adapt": True, "commercial": True}
_OPEN_DATA = "https://opendatacommons.org/licenses"
_ATTRIBUTED = (
    ("MIT", "MIT License", "https://opensource.org/license/mit", "mit"),
    ("Apache-2.0", "Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0", "apache-2.0"),
    ("BSD-2-Clause", 'BSD 2-Clause "Simplified" License', "https://opensource.org/license/bsd-2-clause", "bsd-2-clause"),
    ("BSD-3-Clause", 'BSD 3-Clause "New" or "Revised" License', "https://opensource.org/license/bsd-3-clause", "bsd-3-clause"),
    ("ODC-By-1.0", "Open Data Commons Attribution License 1.0", f"{_OPEN_DATA}/by/1-0/", "odc-by"),
)
_GIVEN = (
    ("CC0-1.0", "Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
    ("PDDL-1.0", "Open Data Commons Public Domain 1.0", f"{_OPEN_DATA}/pddl/1-0/", "pddl"),
)
_LISTED = (
    *(_creative_commons(kind, version, title) for kind, title in _KINDS.items() for version in ("2.0", "2.5", "3.0", "4.0")),
    *(_unversioned(kind, title) for kind, title in _KINDS.items()),
    *(Licence(id=id, name=name, address=address, hub=hub, **_FREE) for id, name, address, hub in _ATTRIBUTED),
    *(Licence(id=id, name=name, address=address, hub=hub, attribution=False, **_FREE) for id, name, address, hub in _GIVEN),
    Licence(
        id="ODbL-1.0",
        name="Open Database License 1.0",
        address=f"{_OPEN_DATA}/odbl/1-0/",
        hub="odbl",
        share_alike=True,
        **_FREE,
    ),
)
_BY_ID = {one.id.casefold(): one for one in _LISTED}
