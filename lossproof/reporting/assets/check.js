// A check in full: observed and expected, the error, why it matters, and how to reproduce it.

const BALLS = "in ball arithmetic, which carries a proven bound on the error through every operation";

// The cases whose printed digits contradict the reference: one of the two is wrong.
let contested;

function isContested(row) {
  const { case: cases, subject, outcome } = checks.rowsOf;
  if (!contested) {
    const certified = checks.table("subject").indexOf("certified"),
      disagree = checks.table("outcome").indexOf("disagree");
    contested = new Set(cases.filter((_, row) => subject[row] === certified && outcome[row] === disagree));
  }
  return contested.has(cases[row]);
}

// Which side is right, and why.
function authority(row) {
  const quantity = checks.cell("quantity", row),
    dtype = checks.cell("dtype", row);
  if (checks.cell("subject", row) === "certified") return `The true digits: they are computed ${BALLS}.`;
  if (quantity === "raises") return "The case demands that this call is refused, and the reference refuses it too.";
  if (checks.cell("outcome", row).endsWith("convention"))
    return "Both: the formula leaves it open. The expected side follows the choice that is on record.";
  if (!data.numeric.includes(quantity.split(":")[0])) return "";
  if (isContested(row))
    return (
      "That is open: the digits that this case prints are not the expected ones either. " +
      "If they are the observed ones, the reference is wrong."
    );
  const how =
    dtype === "float64" || dtype === "complex128"
      ? BALLS
      : `in far more digits, from the inputs exactly as they are in ${dtype}`;
  const cost = `Rounding in ${dtype} may cost an honest computation of the formula at most the budget`;
  return `The expected one: the reference computes it ${how}. ${cost}; what was observed is outside it.`;
}

function elementTable(elements) {
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
          ["At", "Expected", "Observed", "Error / budget", "Error in ULP"].map((text) =>
            el("th", { scope: "col" }, text),
          ),
        ),
      ),
      el(
        "tbody",
        {},
        elements.map(({ at, expected, observed, share: used, ulp }) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, "[" + at.join(", ") + "]"),
            el("td", { class: "digits" }, marked(expected, observed)),
            el("td", { class: "digits" }, marked(observed, expected)),
            el("td", { class: "number" }, share(used)),
            el("td", { class: "number" }, ulps(ulp).replace(" ULP", "") || "–"),
          ),
        ),
      ),
    ),
  );
}

function side(name, text, other, elements) {
  const block = code(name, "");
  block.querySelector("pre").append(...(other === undefined ? [text] : markedArray(text, other, elements)));
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

function checkDetail(row) {
  const detail = detailOf(row) || {};
  const elements = detail.elements || [];
  const sides = [
    ["expected", detail.expected, detail.observed],
    ["observed", detail.observed, detail.expected],
  ].filter(([, text]) => text !== undefined);
  const why = authority(row);
  const isWrong = FAILING.includes(checks.cell("outcome", row)) && sides.length === 2;
  return [
    standInNote(row),
    sides.length
      ? el(
          "div",
          { class: "sides" },
          sides.map(([name, text, other]) => side(name, text, other, elements)),
        )
      : null,
    // For a single number, everything is above already.
    elements.length && elements[0].at.length ? elementTable(elements) : null,
    detail.why ? el("p", { class: "why" }, el("b", {}, "Mistakes that this case looks for. "), sentence(detail.why)) : null,
    why && isWrong ? el("p", { class: "why" }, el("b", {}, "Which side is right? "), why) : null,
    detail.params || detail.inputs
      ? el(
          "div",
          { class: "sides" },
          detail.inputs ? code("inputs", detail.inputs) : null,
          detail.params ? code("params", detail.params) : null,
        )
      : null,
    detail.steps
      ? el("details", {}, el("summary", {}, "Worked steps of this call"), code("worked steps", detail.steps))
      : null,
    detail.snippet
      ? code("reproduce it" + aloneOf(checks.cell("subject", row)), detail.snippet, true)
      : null,
  ];
}

// The error in budgets and in units in the last place.
function excess(row) {
  const used = checks.share(row);
  const { elements = [] } = data.details[row] || {};
  if (used === null) return null;
  const ulp = elements.length ? ulps(elements[0].ulp) : "";
  return el("p", { class: "excess" }, el("b", {}, budgets(used)), ulp ? [" · ", el("b", {}, ulp)] : null);
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
function check(row, subjects = [checks.cell("subject", row)]) {
  const message = checks.cell("message", row);
  return el(
    "div",
    { class: "check" },
    el("div", { class: "check-head" }, badge(checks.cell("outcome", row)), excess(row)),
    message ? el("p", { class: "message" }, message) : null,
    facts(checkWhere(row, subjects)),
    checkDetail(row),
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
