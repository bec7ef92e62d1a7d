// Which side of a failing check is right, and why, by the very numbers that it is about.

const BALLS = "in ball arithmetic, which carries a proven bound on the error through every operation";

// The checks by which the printed digits of a case contradict the reference: one of the two is wrong.
let contested;

function contestOf(row) {
  const { case: cases, subject, outcome } = checks.rowsOf;
  if (!contested) {
    const certified = checks.table("subject").indexOf("certified"),
      disagree = checks.table("outcome").indexOf("disagree");
    contested = new Map();
    cases.forEach((name, at) => {
      if (subject[at] === certified && outcome[at] === disagree && !contested.has(name)) contested.set(name, at);
    });
  }
  return contested.get(cases[row]);
}

// The answer as text and marked numbers; empty where neither side is known to be right.
function authority(row, subjects) {
  const quantity = checks.cell("quantity", row),
    dtype = checks.cell("dtype", row);
  if (checks.cell("subject", row) === "certified") return [`The true digits: they are computed ${BALLS}.`];
  if (quantity === "raises") return ["The case demands that this call is refused, and the reference refuses it too."];
  if (checks.cell("outcome", row).endsWith("convention"))
    return ["Both: the formula leaves it open. The expected side follows the choice that is on record."];
  if (!data.numeric.includes(quantity.split(":")[0])) return [];
  const { elements: [worst] = [], errors } = detailOf(row) || {};
  const verb = subjects.length > 1 ? " give " : " gives ";
  const given = [verb, worst ? digits(worst.observed, worst.expected) : "the observed one"];
  if (contestOf(row) !== undefined) return contestedAnswer(row, subjects, given, worst);
  const isDouble = dtype === "float64" || dtype === "complex128";
  const how = isDouble ? BALLS : `in far more digits, from the inputs exactly as they are in ${dtype}`;
  const at = worst && worst.at.length ? `, at [${worst.at.join(", ")}]` : "";
  return [
    "The expected one",
    worst ? [at, ": ", digits(worst.expected, worst.observed), ". The"].flat() : ": the",
    ` reference computes it ${how}. `,
    certified(row),
    inWords(subjects),
    given,
    errors ? `, ${errorInWords(errors)}` : "",
    `. Rounding in ${dtype} may cost an honest computation of the formula at most the budget; `,
    "this is outside it. ",
    isDouble ? "" : ownResult(row),
  ].flat();
}

function contestedAnswer(row, subjects, given, worst) {
  const told = checks.cell("message", contestOf(row));
  return [
    "That is open: ",
    inWords(subjects),
    ...given,
    worst ? [", and the reference ", digits(worst.expected, worst.observed)] : ", and the reference the expected one",
    ". But the digits that this case prints are not those of the reference either: ",
    told,
    ". If they are the observed ones, the reference is wrong.",
  ].flat();
}

// The check of the same result by another name: on the reference, or of the digits that the case prints.
function sameResult(row, subject, quantity, names) {
  const isSame = (other) =>
    checks.cell("subject", other) === subject &&
    checks.cell("quantity", other) === quantity &&
    names.every((name) => checks.cell(name, other) === checks.cell(name, row));
  return checks.ofCase(checks.caseOf(row).case).find(isSame);
}

// The digits that the case prints of this result, which ball arithmetic has confirmed.
function certified(row) {
  const quantity = checks.cell("quantity", row);
  if (!/^(value$|gradient:)/.test(quantity)) return "";
  const printed = sameResult(row, "certified", quantity.replace(/^(value|gradient)/, "printed"), ["reduction"]);
  if (printed === undefined || checks.cell("outcome", printed) !== "agree") return "";
  return `The case states it too, certified in ball arithmetic: ${checks.cell("message", printed)}. `;
}

function ownResult(row) {
  const own = sameResult(row, "reference", checks.cell("quantity", row), ["reduction", "layout"]);
  if (own === undefined || checks.cell("outcome", own) !== "agree" || checks.share(own) === null) return "";
  return (
    `The reference's own result in ${checks.cell("dtype", own)} agrees with ball arithmetic: ` +
    `its error is ${budgets(checks.share(own))}.`
  );
}
