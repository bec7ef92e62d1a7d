// A check in full: observed and expected, the error, why it matters, and how to reproduce it.

const HEADINGS_OF_ERRORS = { difference: "Observed − expected", factor: "Observed / expected" };

function elementTable(elements, errors) {
  return wide(
    "offending elements",
    el(
      "table",
      { class: "elements" },
      el(
        "caption",
        {},
        elements.length === 1 ? "The element beyond its budget" : "Elements beyond their budget, the worst first",
      ),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ["At", "Expected", "Observed", HEADINGS_OF_ERRORS[errors.kind], "Error / budget", "Error in ULP"]
            .filter(Boolean)
            .map((text) => el("th", { scope: "col" }, text)),
        ),
      ),
      el(
        "tbody",
        {},
        elements.map(({ at, expected, observed, share: used, ulp }, place) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, "[" + at.join(", ") + "]"),
            el("td", { class: "digits" }, marked(expected, observed)),
            el("td", { class: "digits" }, marked(observed, expected)),
            errors.kind ? el("td", { class: "number" }, errors.texts[place]) : null,
            el("td", { class: "number" }, share(used)),
            el("td", { class: "number" }, ulps(ulp).replace(" ULP", "") || "–"),
          ),
        ),
      ),
    ),
  );
}

function side(name, text, other, wrong) {
  const block = code(name, "");
  block.querySelector("pre").append(...(other === undefined ? [text] : markedArray(text, other, wrong)));
  block.classList.add(name);
  return block;
}

const causeOf = (message) => message.slice(message.lastIndexOf("(known: "));

// The detail of a check. Of a known defect, a test details one check, which represents the others.
function detailOf(row) {
  if (data.details[row] || checks.cell("outcome", row) !== "known defect") return data.details[row];
  return data.details[standIn(row)];
}

function standIn(row) {
  const sameAs = (other) =>
    data.details[other] &&
    ["subject", "dtype", "outcome"].every((name) => checks.cell(name, other) === checks.cell(name, row)) &&
    causeOf(checks.cell("message", other)) === causeOf(checks.cell("message", row));
  return checks.ofCase(checks.caseOf(row).case).find(sameAs);
}

// A note if the numbers are those of another check.
function standInNote(row) {
  if (data.details[row] || !detailOf(row)) return null;
  const other = standIn(row);
  const identity = ["quantity", "reduction", "layout"].map((name) => checks.cell(name, other)).filter(Boolean);
  return el("p", { class: "quiet" }, `The same defect, as its first check showed it: ${identity.join(", ")}.`);
}

// The mistakes that a case looks for, as a sentence.
const sentence = (text) => text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

// A program of somebody else's subject imports that.
const aloneOf = (subject) => (/^torch[.*-]/.test(subject) ? ", with torch alone" : "");

// The same numbers are shown once, whatever dtype holds them: ``shown`` remembers which have been.
function unlessShown(name, text, shown, label = name) {
  const numbers = name + (text || "").replace(/= (u?int|b?float|complex|bool)\w*(?= )/g, "=");
  if (!text || shown.has(numbers)) return null;
  shown.add(numbers);
  return code(label, text);
}

function argumentsOf({ inputs, params }, shown, label) {
  const blocks = [unlessShown("inputs", inputs, shown, label), unlessShown("params", params, shown)];
  return blocks.some(Boolean) ? el("div", { class: "sides inputs" }, blocks) : null;
}

function checkDetail(row, subjects, shown) {
  const detail = detailOf(row) || {};
  const { elements = [], errors = {}, wrong = [] } = detail;
  const sides = [
    ["expected", detail.expected, detail.observed],
    ["observed", detail.observed, detail.expected],
  ].filter(([, text]) => text !== undefined);
  const isWrong = FAILING.includes(checks.cell("outcome", row)) && sides.length === 2;
  const why = isWrong ? authority(row, subjects) : [];
  return [
    standInNote(row),
    sides.length
      ? el(
          "div",
          { class: "sides" },
          sides.map(([name, text, other]) => side(name, text, other, wrong)),
        )
      : null,
    // For a single number, everything is above already.
    elements.length && elements[0].at.length ? elementTable(elements, errors) : null,
    detail.why ? el("p", { class: "why" }, el("b", {}, "Mistakes that this case looks for. "), sentence(detail.why)) : null,
    why.length ? el("p", { class: "why" }, el("b", {}, "Which side is right? "), why) : null,
    argumentsOf(detail, shown),
    detail.steps
      ? el("details", { class: "worked" }, el("summary", {}, "Worked steps of this call"), code("worked steps", detail.steps))
      : null,
    detail.snippet
      ? code("reproduce it" + aloneOf(checks.cell("subject", row)), detail.snippet, true)
      : null,
  ];
}

// An error in words.
function errorInWords({ kind, texts }, place = 0) {
  if (kind === "factor") return texts[place] + " times the true value";
  return texts[place].replace("-", "") + (texts[place].startsWith("-") ? " below" : " above") + " the true value";
}

// The error in budgets, in units in the last place, and in itself.
function excess(row) {
  const used = checks.share(row);
  const { elements = [], errors } = data.details[row] || {};
  if (used === null) return null;
  const told = [
    budgets(used),
    elements.length ? ulps(elements[0].ulp) : "",
    errors && !elements[0].at.length ? errorInWords(errors) : "",
  ].filter(Boolean);
  return el(
    "p",
    { class: "excess" },
    told.map((text, place) => [place ? " · " : "", el("b", {}, text)]),
  );
}

function checkWhere(row, subjects) {
  return [
    ["on", inWords(subjects)],
    ["dtype", checks.cell("dtype", row)],
    ["reduction", checks.cell("reduction", row)],
    ["quantity", checks.cell("quantity", row)],
    ["layout", checks.cell("layout", row)],
    ["device", checks.cell("device", row)],
    ["passed by the rule", checks.cell("rule", row)],
  ];
}

// In full, once for all subjects that fail it alike.
function check(row, subjects = [checks.cell("subject", row)], shown = new Set()) {
  const message = checks.cell("message", row);
  const [worst] = (data.details[row] || {}).elements || [];
  return el(
    "div",
    { class: "check" },
    el("div", { class: "check-head" }, badge(checks.cell("outcome", row)), excess(row)),
    message ? el("p", { class: "message" }, markedSentence(message, worst)) : null,
    facts(checkWhere(row, subjects)),
    checkDetail(row, subjects, shown),
  );
}

// A formula, and what each of its symbols means.
function formulaOf(loss, formula) {
  if (!formula) return null;
  const symbols = (data.symbols[loss] || []).map(([symbol, words]) => [el("i", {}, symbol), words]);
  return [el("p", {}, formula), symbols.length ? el("div", { class: "symbols" }, facts(symbols)) : null];
}

function cited(source) {
  return source ? [source.claim, documentName(source.document), source.place].filter(Boolean).join(", ") : "";
}

function caseHead(about) {
  return [
    about.source ? el("span", {}, cited(about.source)) : null,
    el("code", {}, about.file, el("span", { class: "whole" }, ":" + about.line)),
    ...about.flags.map((flag) =>
      filterLink({ flag }, { class: "flag", title: "all cases that look for this mistake" }, flag),
    ),
  ];
}
