// The documents: every claim with its verdict, each number beside the true digits, and the worked steps.

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

// The name of a document's file has a number, and a digest that only distinguishes versions.
function documentName(stem) {
  const found = /^(\d+)_([0-9a-f]{8,})$/.exec(stem || "");
  return found ? "Document " + found[1] : stem || "";
}

const titled = ({ document: stem, title }) => documentName(stem) + (title ? ": " + title : "");

const verdictBadge = (verdict) => signed(...VERDICTS[verdict]);

function tally(claims) {
  return Object.keys(VERDICTS)
    .map((verdict) => [verdict, claims.filter((claim) => claim.verdict === verdict).length])
    .filter(([, number]) => number);
}

// The origin of a number that is compared with the true one.
const STANDS = {
  document: "printed in the document",
  formula: "from the document's formula, on our inputs",
  case: "stated in our case file",
};

// Numbers in nested brackets; of too many, the first.
function nested(parts, shape) {
  const size = shape.reduce((product, length) => product * length, 1);
  if (parts.length < size) return ["[", ...between(parts), `, ... (${whole(size)} in all)]`];
  if (!shape.length) return parts[0];
  const step = shape[0] ? size / shape[0] : 0;
  const rows = Array.from({ length: shape[0] }, (_, place) =>
    nested(parts.slice(place * step, (place + 1) * step), shape.slice(1)),
  );
  return ["[", ...between(rows), "]"];
}

const between = (parts) => parts.flatMap((part, place) => [place ? ", " : "", ...part]);

// The numbers of a claim beside the true ones, or two shapes that differ.
function numberPair({ stated, shape, true: truth, true_shape: trueShape, dtype }) {
  if (String(shape) !== String(trueShape)) {
    const whose = (texts, own) => nested(texts.map((text) => [text]), own);
    return [el("mark", {}, whose(stated, shape)), el("span", {}, whose(truth, trueShape))];
  }
  // A number observed on a machine claims only the digits of its dtype.
  const apart = (values, others, isStated) =>
    values.map((value, place) => {
      const other = others[place];
      if (dtype || (isStated ? rounds(value, other) : rounds(other, value))) return [value];
      // Only as many true digits as are stated can be wrong.
      return marked(value, other, isStated ? value.length : other.length);
    });
  return [
    el("span", {}, nested(apart(stated, truth, true), shape)),
    el("span", {}, nested(apart(truth, stated, false), shape)),
  ];
}

function numberTable(numbers) {
  return wide(
    "numbers and true digits",
    el(
      "table",
      { class: "numbers" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ["", "Number", "True digits"].map((text) => (text ? el("th", { scope: "col" }, text) : el("td", {}))),
        ),
      ),
      el("tbody", {}, numbers.map(numberRow)),
    ),
  );
}

function numberRow(number) {
  const [mine, right] = numberPair(number);
  const what = [
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
      el("span", { class: "place" }, STANDS[number.by] || ""),
    ),
    el("td", { class: "digits", "data-label": "number" }, mine),
    el(
      "td",
      { class: "digits", "data-label": "true" },
      right,
      number.note ? el("span", { class: "place" }, number.note) : null,
    ),
  );
}

const labelled = (label, text) => (text ? el("p", {}, el("b", {}, label), text) : null);

function findingLines({ kind, says, because, now }, isCounted) {
  if (kind === "drifted") return [labelled("It was: ", `${says}, ${because}`), labelled("It is: ", now)];
  return [isCounted ? null : labelled("What the document has: ", says), labelled("Why it is wrong: ", because)];
}

// Numbers that have a table are not repeated here.
const findingBox = (finding, isCounted) => el("div", { class: "finding" }, findingLines(finding, isCounted));

function stepsOf(name) {
  const { formula, calls, reduction } = data.explained[name] || {};
  if (!calls) return null;
  const title = "Worked steps" + (reduction && reduction !== "none" ? ", " + reduction : "");
  return lazily(el("details", { class: "steps" }, el("summary", {}, title)), () => [
    formulaOf(caseNamed(name).loss, formula),
    code(title.toLowerCase(), calls[reduction].steps),
  ]);
}

function claimCase(tried) {
  return el(
    "div",
    { class: "tried" },
    el("p", {}, tried.title || tried.case, " ", caseLink(tried.case)),
    tried.finding ? findingBox(tried.finding, tried.numbers.length > 0) : null,
    tried.numbers.length ? numberTable(tried.numbers) : null,
    tried.given ? labelled("What came out: ", givenInWords(tried.given)) : null,
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

function documentPart({ document: stem, title, about, claims }) {
  const numbers = tally(claims)
    .map(([verdict, number]) => number + " " + verdict)
    .join(", ");
  const digest = documentName(stem) === stem ? "" : stem;
  return el(
    "section",
    { id: "document-" + stem, class: "document" },
    lazily(
      el(
        "details",
        { class: "card" },
        el(
          "summary",
          {},
          el("h3", { id: `document-${stem}-title`, tabindex: "-1" }, titled({ document: stem, title })),
          el("span", { class: "quiet" }, many(claims.length, "claim") + ": " + numbers),
        ),
      ),
      () => [
        about || digest ? el("p", { class: "quiet" }, about, " ", el("span", { class: "digest" }, digest)) : null,
        claimTable(stem, claims),
      ],
    ),
  );
}

function claimTable(stem, claims) {
  return wide(
    documentName(stem),
    el(
      "table",
      { class: "claims", role: "table" },
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
  );
}

function documentSection() {
  if (!data.documents.length) return null;
  const claims = data.documents.flatMap(({ document: stem, title, claims }) =>
    claims.map((claim) => ({ document: stem, title, claim, verdict: claim.verdict })),
  );
  const wrong = claims.filter(({ claim }) => claim.cases.some((tried) => isWrong(tried, claim.by)));
  const contradicted = claims.filter((one) => one.verdict === "contradicted");
  const order = Object.keys(VERDICTS);
  return section(
    { id: "documents", title: "The documents", short: "Documents", count: whole(claims.length) },
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
          verdict === "contradicted" && contradicted.length
            ? el("a", { href: "#contradicted" }, verdictBadge(verdict))
            : verdictBadge(verdict),
          el("span", { class: "quiet" }, " " + MEANINGS[verdict]),
        ),
      ),
    ),
    contradictions(contradicted),
    wrong.length
      ? el(
          "section",
          {},
          el("h3", {}, "Wrong or outdated"),
          wrong.sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict)).map(correction),
        )
      : null,
    el("h3", {}, "Every claim, by document"),
    data.documents.map(documentPart),
  );
}
