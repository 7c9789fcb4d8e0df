"""Given names common enough that, before another capitalised word, they speak of a person.

Chosen by hand from the names that many parts of the world give most; those that are also words of medicine, plants, places
or months (Rose, Virginia, April, Grace, Mark, Will, …) are left out, since they would name stains and hospitals.
"""

from __future__ import annotations

GIVEN_NAMES = frozenset(
    """
    aaron abdul abdullah adam ahmed aisha alejandro alessandro alexander alexandra alice amanda amelia ana andrea andrew
    angela anita anna anne anthony antonio arthur barbara beatriz benjamin bernard betty brandon brenda brian camille carlos
    carmen carol caroline catherine charles charlotte chloe christina christine christopher claire claudia craig cynthia
    daniel david deborah dennis diana diego donald donna dorothy edward eleanor elena elizabeth emily emma enrique eric ethan
    eva evelyn fatima felix fernando francesca francisco frank franz fritz gabriel gary george gerald giovanni giulia giuseppe
    gregory hannah hans harold hassan heather heidi heinrich helen helga henry hiroshi ibrahim ines ingrid irina isabella
    isabelle ivan jack jacob jacqueline jakob james jamie jane janet jason javier jean jeffrey jennifer jeremy jessica joan
    johann john jonathan jorge jose joseph joshua juan judith julia julie justin karen karl katarzyna katharina katherine
    kathleen keith kelly kenneth kevin kimberly klaus krzysztof kyle larry laura laurent lauren linda lisa lucas lucia luis
    luigi luise lukas magdalena manuel marcus margaret maria marie marina mario markus martha martin mary matteo matthew
    maximilian megan melissa michael michelle miguel mohamed mohammad mohammed monika monique muhammad nancy natalia natalie
    nathan nicholas nicole nikolai noah olga oliver olivia omar pablo pamela patricia patrick paul paula pavel pedro peter
    petra philip philippe pierre piotr priya rachel raj rebecca renate ricardo richard robert roberto roger ronald rosa ruth
    ryan samantha samuel sandra sara sarah scott sergei sergio sharon sofia sophia sophie stefan stephanie stephen steven
    susan svetlana takeshi teresa theresa thomas timothy tomas tyler ursula valentina vanessa vera veronica victor vincent
    vladimir walter wei werner wilhelm william wolfgang yuki yusuf zachary
    """.split()  # noqa: SIM905
)
