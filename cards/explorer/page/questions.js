// The questions about a sample, suite by suite; opening one draws what it points at, its answer stays hidden until asked for.

import { counted, el, words } from "./dom.js";

/** The list; `draw(question or null, whether its answer too)` is called as questions and answers open and close. */
export function questionList(questions, draw) {
  if (!questions.length) return el("p", {}, "Nothing is asked about this sample.");
  const suites = new Map();
  for (const one of questions) suites.set(one.suite, [...(suites.get(one.suite) ?? []), one]);
  return el("div", {}, [...suites].map(([suite, some]) => el("section", { "aria-label": `Suite ${suite}` }, el("h4", {}, suite, " ", el("span", { class: "count" }, counted(some.length, "question"))), some.map((one) => card(one, draw)))));
}

function card(question, draw) {
  const answer = withheld(question) ? el("p", { class: "faint" }, "The answer is withheld.") : reveal(question, draw);
  const about = [words(question.kind), words(question.task), question.clinical_task, question.department, question.granularity].filter(Boolean).join(" · ");
  const origin = [question.id, `rule ${question.rule}`, question.wording && `wording ${question.wording}`, question.maker !== "rule" && `made by ${question.maker}`, question.flags.length && `flags ${question.flags.join(", ")}`].filter(Boolean).join(" · ");
  const whole = el(
    "details",
    { class: "question", name: "question" },
    el("summary", {}, el("span", { class: "kind" }, words(question.kind)), question.question),
    question.instruction ? el("p", { class: "faint" }, question.instruction) : null,
    question.options.length ? el("ul", { class: "answers" }, question.options.map((one) => el("li", {}, el("b", {}, one.letter), " ", one.text))) : null,
    question.prompts.length ? el("p", { class: "faint" }, `${counted(question.prompts.length, "prompt")} drawn on the picture.`) : null,
    answer,
    el("p", { class: "faint" }, about),
    el("p", { class: "faint" }, origin),
  );
  whole.addEventListener("toggle", (event) => {
    if (event.target !== whole) return;
    if (whole.open) draw(question, false);
    else if (!document.querySelector("dialog details.question[open]")) draw(null, false);
    if (!whole.open) whole.querySelector(".answer")?.removeAttribute("open");
  });
  return whole;
}

/** An answer that the release doesn't hold. */
const withheld = (question) => question.answer === null && !question.letters.length && !question.targets.length;

function reveal(question, draw) {
  const right = question.options.filter((one) => question.letters.includes(one.letter)).map((one) => `${one.letter}. ${one.text}`);
  const marked = question.targets.length ? el("p", {}, `${counted(question.targets.length, "region")} drawn on the picture in yellow.`) : null;
  const text = right.length ? el("ul", { class: "answers" }, right.map((one) => el("li", { class: "right" }, one))) : question.answer === null ? null : el("p", {}, question.answer);
  const whole = el("details", { class: "answer" }, el("summary", {}, "Show the answer"), text, marked);
  whole.addEventListener("toggle", () => {
    if (whole.closest("details.question").open) draw(question, whole.open);
  });
  return whole;
}
