"""The mapping is total both ways: over our vocabularies, over every word that a system prints, and for every reason."""

from __future__ import annotations

import pytest

from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.errors import UsageError
from medloom.schema.systems import clinical, gmai, mapping, medmat, medtrinity, mimoseg
from medloom.schema.triplet import AREAS, BROAD_TASKS, TASKS
from medloom.schema.vocabulary import fold

RELATIONS = {"same", "wider", "narrower", "related", "none"}
CELLS = [
    (field, term.code, system)
    for field, vocabulary in mapping.VOCABULARIES.items()
    for term in vocabulary
    for system in mapping.SYSTEMS
]
PRINTED = {
    ("modality", "medmat"): medmat.MODALITY_CODES,
    ("modality", "gmai"): gmai.MODALITY_NAMES,
    ("modality", "medtrinity"): medtrinity.MODALITY_WORDS,
    ("modality", "mimoseg"): mimoseg.MODALITY_WORDS,
    ("area", "medmat"): medmat.AREAS,
    ("area", "medtrinity"): medtrinity.STRUCTURE_WORDS,
    ("task", "medmat"): medmat.TASK_NAMES,
}


def test_every_code_has_an_answer_from_every_system_and_a_reason_where_it_is_ours():
    faults = []
    for field, code, system in CELLS:
        found = mapping.counterpart(field, code, system)
        fits = found.relation in RELATIONS and (found.relation == "none") == (not found.words)
        reasoned = found.reason or (found.relation == "same" and not found.ours)
        if not (fits and reasoned):
            faults.append((field, code, system, found))
    assert faults == []
    assert len(CELLS) == 4 * sum(map(len, mapping.VOCABULARIES.values()))


def test_every_printed_word_is_the_same_as_just_one_code_of_ours():
    for (field, system), printed in PRINTED.items():
        same: dict[str, list[str]] = {}
        for term in mapping.VOCABULARIES[field]:
            found = mapping.counterpart(field, term.code, system)
            for word in found.words if found.relation == "same" else ():
                same.setdefault(word, []).append(term.code)
        assert {word: len(codes) for word, codes in same.items()} == dict.fromkeys(printed, 1), (field, system)


def test_every_word_that_a_counterpart_names_is_printed_by_its_system():
    for field, code, system in CELLS:
        if (field, system) in PRINTED:
            assert set(mapping.counterpart(field, code, system).words) <= set(PRINTED[field, system])


def test_wider_and_narrower_agree_with_our_tree_or_say_where_a_system_prints_it():
    assert mapping.counterpart("modality", "HBV", "gmai").words == ("DWI",)
    assert mapping.counterpart("modality", "OP", "gmai").relation == "narrower"
    assert mapping.counterpart("area", "knee", "medmat") == mapping.Counterpart(
        ("Bones",), "wider", True, "subset 25 prints the knee under Bones"
    )
    assert mapping.counterpart("area", "ribs", "medmat").words == ("Bones",)
    assert mapping.counterpart("area", "ribs", "medtrinity").words == ("rib",)
    assert mapping.counterpart("task", "brain-tumour-classification", "medmat").words == ("Tumor Classification",)


def test_what_is_the_same_word_is_no_reading_and_what_is_merged_is():
    assert not mapping.counterpart("modality", "MRI", "medtrinity").ours
    assert not mapping.counterpart("modality", "DWI", "mimoseg").ours
    assert mapping.counterpart("modality", "T1ce", "gmai").ours
    assert mapping.counterpart("modality", "Co", "medmat").ours
    assert mapping.counterpart("area", "stomach", "medtrinity").ours
    assert not any(mapping.counterpart("task", one.triplet.task, "medmat").ours for one in medmat.SUBSETS)
    assert all(mapping.counterpart("task", code, "medmat").ours for code in BROAD_TASKS)


def test_every_medtrinity_structure_has_a_medmat_area_or_an_explicit_none():
    found = {word: mapping.medmat_area(word) for word in medtrinity.STRUCTURE_WORDS}
    assert {word for word, one in found.items() if one.relation == "none"} == {
        *("face", "vascular", "lymph", "artery", "pancreas"),
    }
    assert {word: found[word].words for word in ("lung", "pulmonary", "rib", "eye", "heart", "tissue")} == {
        "lung": ("Lung",),
        "pulmonary": ("Lung",),
        "rib": ("Bones",),
        "eye": ("Fundus", "Retina"),
        "heart": ("Chest",),
        "tissue": ("Cell",),
    }
    assert all(one.reason for one in found.values() if one.ours or one.relation == "none")
    assert mapping.area_of_structure("Hepatic") == "liver"
    with pytest.raises(UsageError, match="structure 'spleen'; expected one of"):
        mapping.medmat_area("spleen")


def test_every_task_serves_clinical_tasks_or_explicitly_none():
    readings = {term.code: clinical.of_task(term.code) for term in TASKS}
    assert {code for code, one in readings.items() if not one.codes} == {"landmark-localization", "unlabelled", "other"}
    assert all(one.ours and one.reason and set(one.codes) <= set(CLINICAL_TASKS.codes) for one in readings.values())
    assert all(len(set(one.codes)) == len(one.codes) for one in readings.values())
    assert all(clinical.of_subset(one).codes for one in medmat.SUBSETS)
    assert all(clinical.of_branch(code).codes for code in BROAD_TASKS)
    assert set(clinical.ROWS) <= set(TASKS.codes)


def test_every_clinical_task_has_tasks_or_an_explicit_reason():
    without = {term.code for term in CLINICAL_TASKS if not clinical.tasks_of(term.code)}
    assert without == set(clinical.WITHOUT_TASK) == {"C", "MR", "N/A"}
    for term in CLINICAL_TASKS:
        assert set(clinical.tasks_of(term.code)) == {one.code for one in TASKS if term.code in clinical.of_task(one.code).codes}


def test_every_subset_is_found_by_the_clinical_tasks_that_it_serves():
    for one in medmat.SUBSETS:
        for code in clinical.of_subset(one).codes:
            assert one in clinical.subsets_of(code)
    assert [one.number for one in clinical.subsets_of("Blood Vessels Recognition")] == ["51"]
    assert clinical.of_subset(medmat.find("33")).names == ("Cell Recognition",)
    assert clinical.of_subset(medmat.find("45")).names == ("Organ Recognition - Abdomen",)


def test_a_structure_is_recognized_by_where_it_lies():
    assert clinical.of_task("organ-segmentation", area="spleen").codes == ("OR-A",)
    assert clinical.of_task("organ-segmentation", area="aorta").codes == ("BVR",)
    assert clinical.of_task("organ-segmentation", area="knee").codes == ("B",)
    assert clinical.of_task("tissue-segmentation", area="cell").codes == ("CR",)
    assert clinical.of_task("brain-structure-segmentation", area="hippocampus").codes == ("NT", "OR-HN")
    assert clinical.of_task("organ-segmentation", area="phantom") == clinical.of_task("organ-segmentation")
    assert clinical.of_task("lung-cancer", area="lung").codes == ("DD",)


def test_every_area_says_which_recognition_it_serves_or_none():
    roots = {AREAS.root(code).code for code in AREAS.codes}
    assert {code for code in clinical.STRUCTURES if code not in AREAS} == set()
    covered = {code for code in AREAS.codes if {code, *(t.code for t in AREAS.ancestors(code))} & set(clinical.STRUCTURES)}
    assert covered == set(AREAS.codes)
    assert roots <= set(clinical.STRUCTURES)


def test_clinical_task_of_every_built_source_agrees_with_the_mapping():
    from medloom.builders import catalog

    for name in catalog.names():
        facts = catalog.load(name).facts
        read = clinical.of_task(facts.triplet.task, area=facts.triplet.area)
        stated = CLINICAL_TASKS.find(facts.clinical_task).code
        assert stated == "N/A" or stated in read.codes, (name, stated, read)


def test_a_word_read_as_its_system_reads_it():
    assert mapping.read_as("medmat", "area", "bones") >= {"bones", "ribs", "knee", "spine", "foot"}
    assert mapping.read_as("gmai", "modality", "Gadolinium") == {"T1ce"}
    assert mapping.read_as("medmat", "area", "spleen") == frozenset()


def test_granularities_of_the_four():
    table = {code: {s: one.words for s, one in mapping.counterparts("granularity", code).items()} for code in ("box", "mask")}
    assert table["box"] == {
        "medmat": ("detection",),
        "gmai": ("Box Level",),
        "medtrinity": ("bbox",),
        "mimoseg": ("II", "IV"),
    }
    assert table["mask"]["mimoseg"] == tuple(one.numeral for one in mimoseg.PERSPECTIVES)
    prompted = {one.numeral for one in mimoseg.PERSPECTIVES if "point" in one.prompts}
    assert set(mapping.counterpart("granularity", "point", "mimoseg").words) == prompted


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("modality", "CT", "samed"), "system 'samed'; expected one of medmat"),
        (("colour", "CT", "gmai"), "field 'colour'; expected one of modality"),
        (("modality", "ct scan", "gmai"), "is no code; expected its code, 'CT'"),
    ],
)
def test_what_is_unknown_is_refused(arguments: tuple[str, str, str], fault: str):
    with pytest.raises(UsageError, match=fault):
        mapping.counterpart(*arguments)


def test_words_of_the_tables_beside_the_checkout_are_all_mapped(reference):
    areas = {fold(row["anatomical_area"]) for row in reference("medmat_subsets.csv")}
    tasks = {fold(row["task"]) for row in reference("medmat_subsets.csv")}
    modalities = {fold(row["modality"]) for row in reference("gmai_modalities.csv")}
    assert areas == {fold(word) for term in AREAS for word in mapping.printed("area", "medmat").get(term.code, ())}
    assert tasks == {fold(word) for words in mapping.printed("task", "medmat").values() for word in words}
    assert modalities == {fold(word) for words in mapping.printed("modality", "gmai").values() for word in words}
    for row in reference("gmai_clinical_tasks.csv"):
        code = CLINICAL_TASKS.find(row["clinical_vqa_task"]).code
        assert bool(clinical.tasks_of(code)) != (code in clinical.WITHOUT_TASK)
