// What torch is known to get wrong, and where digits are lost within budget.

const plainText = (value) => (typeof value === "string" ? value : JSON.stringify(value));

function defectCard(defect) {
  const { inputs, params } = data.explained[defect.case] || {};
  const about = caseNamed(defect.case);
  const where = [
    defect.subject,
    ...["dtypes", "reductions", "quantities", "layouts"].map((name) => (defect[name] || []).join(", ")),
  ]
    .filter(Boolean)
    .map(plainText);
  return el(
    "article",
    { class: "card" },
    el("h3", {}, defect.why || "a known defect"),
    el(
      "p",
      { class: "about" },
      badge("known defect", defect.kind || "known defect"),
      about ? el("b", {}, about.loss) : null,
      defect.case ? caseLink(defect.case) : null,
      el("span", {}, where.join(" · ")),
      defect.versions ? el("span", {}, "torch " + defect.versions) : null,
      defect.file ? el("code", {}, defect.file + ":" + defect.line) : null,
    ),
    inputs || params
      ? el(
          "div",
          { class: "sides inputs" },
          inputs ? code("input", inputs) : null,
          params ? code("params", params) : null,
        )
      : null,
    el(
      "div",
      { class: "sides" },
      code("what comes out", plainText(defect.observed ?? "")),
      code("what should", plainText(defect.expected ?? "")),
    ),
    defect.link ? el("p", { class: "link" }, link(defect.link)) : null,
    defect.snippet
      ? lazily(el("details", {}, el("summary", {}, "Reproduce it")), () =>
          code("with torch alone", defect.snippet, true),
        )
      : null,
  );
}

function defectSection() {
  const defects = data.run.known_defects;
  if (!defects.length) return null;
  const lossOf = (defect) => (caseNamed(defect.case) || { loss: "other" }).loss;
  const groups = [...groupBy(defects, lossOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  return section(
    "defects",
    "Known defects of torch",
    el(
      "p",
      { class: "quiet" },
      many(defects.length, "defect") +
        " on record, by loss. A run fails when one of them has gone, so the list is always true. ",
      "In the table of all checks: ",
      filterLink({ outcome: "known defect" }, {}, many(data.counts["known defect"], "check")),
      ".",
    ),
    groups.map(([loss, found]) =>
      lazily(
        el(
          "details",
          { class: "card group" },
          el(
            "summary",
            {},
            el("b", {}, loss),
            " ",
            el("span", { class: "quiet" }, many(found.length, "defect")),
            el(
              "ul",
              { class: "reasons" },
              unique(found.map((defect) => defect.why || "")).map((why) => el("li", {}, why)),
            ),
          ),
        ),
        () => found.map(defectCard),
      ),
    ),
  );
}

function digitSection() {
  if (!data.lost_digits.length) return null;
  return section(
    "digits",
    "Digits lost within budget",
    el(
      "p",
      { class: "quiet" },
      "These cases lose digits, yet stay within the budget of their formula: they agree, and are worth knowing.",
    ),
    data.lost_digits.map((lost) =>
      el(
        "article",
        { class: "card" },
        el("h3", {}, lost.title || lost.case),
        el("p", { class: "about" }, el("b", {}, lost.loss), caseLink(lost.case)),
        facts(lost.uses.map((use) => [use.subject + ", " + use.dtype, share(use.share) || "no budget"])),
        lost.messages.map((message) => el("p", { class: "message" }, message)),
      ),
    ),
  );
}
