// What is wrong with documents, and what of them a subject contradicts.

// A document is wrong if its number or statement is; if only a subject fails, the document may be right.
const isWrong = ({ finding, verdict }, by) => finding || (verdict === "contradicted" && by.includes("certified"));

// What is wrong or outdated comes first. Cases that show the same appear once.
function correction({ document: stem, title, claim }) {
  const wrong = claim.cases.filter((tried) => isWrong(tried, claim.by));
  const same = ({ finding, numbers }) =>
    JSON.stringify([finding, numbers.filter(({ kind }) => !finding || kind === "erratum")]);
  return el(
    "article",
    { class: "card correction" },
    el("h4", {}, unique(wrong.map((tried) => tried.title || tried.case)).join("; ")),
    el(
      "p",
      { class: "about" },
      verdictBadge(claim.verdict),
      el("b", {}, titled({ document: stem, title })),
      el("span", {}, [claim.claim, ...claim.places].filter(Boolean).join(" · ")),
      wrong.map((tried) => caseLink(tried.case)),
    ),
    [...groupBy(wrong, same).values()].map((alike) =>
      el("div", { class: "tried" }, correctedNumbers(alike[0]), stepsOf(alike[0].case)),
    ),
  );
}

function correctedNumbers({ finding, numbers }) {
  if (!finding) return numberTable(numbers);
  const own = numbers.filter(({ kind }) => kind === "erratum");
  return [own.length ? numberTable(own) : null, findingLines(finding, own.length > 0)].flat();
}

// Claims that a check contradicts: the document may be right, and the subject wrong.
function contradictions(claims) {
  if (!claims.length) return null;
  return el(
    "section",
    { id: "contradicted", "aria-labelledby": "contradicted-title" },
    el("h3", { id: "contradicted-title", tabindex: "-1" }, "Contradicted in this run"),
    el("ul", { class: "printed" }, claims.map(contradiction)),
  );
}

function contradiction({ document: stem, title, claim }) {
  const failing = claim.cases.filter((tried) => tried.verdict === "contradicted");
  return el(
    "li",
    {},
    el("b", {}, titled({ document: stem, title })),
    " " + [claim.claim, ...claim.places].filter(Boolean).join(" · ") + ", by " + inWords(claim.by) + ": ",
    failing.map((tried) => el("div", {}, caseLink(tried.case), ": ", givenInWords(tried.given))),
  );
}

// What came out where a check contradicts a claim.
const givenInWords = ({ on, message }) => on.join(", ") + ": " + message;
