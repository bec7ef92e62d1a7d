// The documents: every claim with its verdict, the printed number beside the true digits, and the worked steps.

const VERDICTS = {
  contradicted: ["disagree", "✗", "contradicted"],
  erratum: ["known-defect", "≠", "erratum"],
  drifted: ["known-defect", "↷", "drifted"],
  "known defect": ["known-defect", "◆", "known defect"],
  confirmed: ["agree", "✓", "confirmed"],
  "not checked": ["unsupported", "–", "not checked"],
};
const MEANINGS = {
  contradicted: "a check of it fails; the table names the subject",
  erratum: "the document is wrong",
  drifted: "true of an older release of torch",
  "known defect": "torch is known to differ",
  confirmed: "it is right",
  "not checked": "nothing ran it",
};

// Documents are called by their files' stems: a number, and a digest that only tells versions apart.
function documentName(stem) {
  const found = /^(\d+)_([0-9a-f]{8,})$/.exec(stem || "");
  return found ? "Document " + found[1] : stem || "";
}

const verdictBadge = (verdict) => signed(...VERDICTS[verdict]);

function tally(claims) {
  return Object.keys(VERDICTS)
    .map((verdict) => [verdict, claims.filter((claim) => claim.verdict === verdict).length])
    .filter(([, number]) => number);
}

// A number printed by a document beside the true one; in lists, each beside its own.
function numberPair(printed, truth) {
  const [mine, right] = [printed.split(", "), truth.split(", ")];
  const apart = (values, others, isPrinted) =>
    values.flatMap((value, place) => {
      const other = others[place];
      const wrong = other !== undefined && !(isPrinted ? rounds(value, other) : rounds(other, value));
      // Of the true digits no more than the print has are wrong in it.
      return [
        place ? ", " : "",
        ...(wrong ? marked(value, other, isPrinted ? value.length : other.length) : [value]),
      ];
    });
  return [apart(mine, right, true), apart(right, mine, false)];
}

function numberTable(numbers) {
  return wide(
    "printed and true numbers",
    el(
      "table",
      { class: "numbers" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ["", "Printed", "True digits"].map((text) => (text ? el("th", { scope: "col" }, text) : el("td", {}))),
        ),
      ),
      el(
        "tbody",
        {},
        numbers.map((number) => {
          // What a document saw on a machine claims no digits beyond that dtype's.
          const [mine, right] = number.dtype
            ? [[number.printed], [number.true]]
            : numberPair(number.printed, number.true);
          const what = [
            number.kind === "erratum" ? "in the document" : "",
            number.of ? "gradient by " + number.of : "",
            number.reduction === "none" ? "" : number.reduction,
            number.dtype ? "seen in " + number.dtype : "",
          ];
          return el(
            "tr",
            {},
            el(
              "th",
              { scope: "row" },
              number.kind === "erratum" ? signed("known-defect", "≠", "") : null,
              what.filter(Boolean).join(", ") || "value",
            ),
            el("td", { class: "digits", "data-label": "printed" }, mine),
            el(
              "td",
              { class: "digits", "data-label": "true" },
              right,
              number.note ? el("span", { class: "place" }, number.note) : null,
            ),
          );
        }),
      ),
    ),
  );
}

function findingBox({ kind, says, because }) {
  const [claimed, reason] =
    kind === "drifted" ? ["It was: ", "Since then: "] : ["The document says: ", "Why it is wrong: "];
  return el(
    "div",
    { class: "finding" },
    el("p", {}, el("b", {}, claimed), says || ""),
    el("p", {}, el("b", {}, reason), because || ""),
  );
}

function stepsOf(name) {
  const { formula, steps, reduction } = data.explained[name] || {};
  if (!steps) return null;
  const title = "Worked steps" + (reduction && reduction !== "none" ? ", " + reduction : "");
  return lazily(el("details", { class: "steps" }, el("summary", {}, title)), () => [
    formula ? el("p", {}, formula) : null,
    code(title.toLowerCase(), steps),
  ]);
}

function claimCase(tried) {
  return el(
    "div",
    { class: "tried" },
    el("p", {}, tried.title || tried.case, " ", caseLink(tried.case)),
    tried.finding ? findingBox(tried.finding) : null,
    tried.numbers.length ? numberTable(tried.numbers) : null,
    tried.messages.length
      ? el(
          "ul",
          { class: "printed" },
          tried.messages.map((message) => el("li", {}, message)),
        )
      : null,
    stepsOf(tried.case),
  );
}

function claimRow(claim) {
  return el(
    "tr",
    { role: "row" },
    el(
      "th",
      { scope: "row", role: "rowheader" },
      claim.claim || "–",
      el("span", { class: "place" }, claim.places.filter(Boolean).join("; ")),
    ),
    el(
      "td",
      { class: "verdict", role: "cell" },
      verdictBadge(claim.verdict),
      claim.by.length ? el("span", { class: "place" }, "by " + claim.by.join(", ")) : null,
    ),
    el("td", { role: "cell" }, claim.cases.map(claimCase)),
  );
}

function documentPart({ document: stem, claims }) {
  const numbers = tally(claims)
    .map(([verdict, number]) => number + " " + verdict)
    .join(", ");
  const digest = documentName(stem) === stem ? "" : stem;
  return el(
    "section",
    { id: "document-" + stem, class: "document" },
    el("h3", {}, documentName(stem), digest ? el("span", { class: "digest" }, digest) : null),
    wide(
      documentName(stem),
      el(
        "table",
        { class: "claims", role: "table" },
        el("caption", {}, many(claims.length, "claim") + ": " + numbers),
        el(
          "thead",
          { role: "rowgroup" },
          el(
            "tr",
            { role: "row" },
            ["Claim", "Verdict", "What was tried, and what came out"].map((text) =>
              el("th", { scope: "col", role: "columnheader" }, text),
            ),
          ),
        ),
        el("tbody", { role: "rowgroup" }, claims.map(claimRow)),
      ),
    ),
  );
}

// A document is wrong by its own number or statement; where only a subject fails, the document may well be right.
const isWrong = ({ finding, verdict }, by) => finding || (verdict === "contradicted" && by.includes("certified"));

// What is wrong or outdated, before all that is right.
function correction({ document: stem, claim }) {
  const wrong = claim.cases.filter((tried) => isWrong(tried, claim.by));
  return el(
    "article",
    { class: "card correction" },
    el(
      "p",
      { class: "about" },
      verdictBadge(claim.verdict),
      el("b", {}, documentName(stem)),
      el("span", {}, [claim.claim, ...claim.places].filter(Boolean).join(" · ")),
      wrong.map((tried) => caseLink(tried.case)),
    ),
    wrong.map((tried) => el("div", { class: "tried" }, correctedNumbers(tried), stepsOf(tried.case))),
  );
}

function correctedNumbers({ title, finding, numbers }) {
  if (!finding) return [el("p", {}, title), numberTable(numbers)];
  const [claimed, reason] =
    finding.kind === "drifted" ? ["It was: ", "Since then: "] : ["The document says: ", "Why it is wrong: "];
  const printed = numbers.filter(({ kind }) => kind === "erratum");
  return [
    printed.length ? numberTable(printed) : el("p", {}, el("b", {}, claimed), finding.says),
    el("p", {}, el("b", {}, reason), finding.because),
  ];
}

function documentSection() {
  if (!data.documents.length) return null;
  const claims = data.documents.flatMap(({ document: stem, claims }) =>
    claims.map((claim) => ({ document: stem, claim, verdict: claim.verdict })),
  );
  const wrong = claims.filter(({ claim }) => claim.cases.some((tried) => isWrong(tried, claim.by)));
  const order = Object.keys(VERDICTS);
  return section(
    "documents",
    "The documents",
    el("p", {}, "Of " + many(claims.length, "claim") + " in " + many(data.documents.length, "document") + ":"),
    el(
      "ul",
      { class: "legend" },
      tally(claims).map(([verdict, number]) =>
        el(
          "li",
          {},
          el("b", {}, whole(number)),
          " ",
          verdictBadge(verdict),
          el("span", { class: "quiet" }, " " + MEANINGS[verdict]),
        ),
      ),
    ),
    el(
      "nav",
      { class: "inner", "aria-label": "Documents" },
      data.documents.map(({ document: stem }) =>
        el("a", { href: "#" + encodeURIComponent("document-" + stem) }, documentName(stem)),
      ),
    ),
    wrong.length
      ? el(
          "section",
          {},
          el("h3", {}, "Wrong or outdated"),
          wrong.sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict)).map(correction),
        )
      : null,
    data.documents.map(documentPart),
  );
}
