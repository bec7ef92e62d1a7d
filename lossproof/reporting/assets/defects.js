// Known defects by cause, and cases that lose digits within budget.

const plainText = (value) => (typeof value === "string" ? value : JSON.stringify(value));

// The first check of an entry that has a detail, with its dtype.
function metBy(defect) {
  const isOfIt = (row) =>
    data.details[row] &&
    checks.cell("outcome", row) === "known defect" &&
    checks.cell("message", row).endsWith(`(known: ${defect.why})`);
  return checks.ofCase(defect.case).find(isOfIt);
}

const releases = ({ since, until }) => [since && "since " + since, until && "until " + until].filter(Boolean).join(" ");

function defectCard(defect) {
  const { inputs, params } = data.details[metBy(defect)] || data.explained[defect.case] || {};
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
    el(
      "p",
      { class: "about" },
      about ? el("b", {}, about.loss) : null,
      defect.case ? caseLink(defect.case) : null,
      el("span", {}, where.join(" · ")),
      defect.since || defect.until ? el("span", {}, releases(defect)) : null,
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
    defect.snippet
      ? lazily(el("details", {}, el("summary", {}, "Reproduce it")), () =>
          code("reproduce it" + aloneOf(defect.subject), defect.snippet, true),
        )
      : null,
  );
}

// Kind -> the name of its causes, and its meaning.
const KINDS = {
  defect: ["Defects", "What comes out is wrong."],
  undefined: ["Undefined results", "The formula leaves the result open: what comes out is one choice, ours another."],
  convention: ["Conventions", "What comes out is meant: another choice than the one that the formula makes."],
};

const lossOf = (defect) => (caseNamed(defect.case) || { loss: "other" }).loss;

// The reports of a cause, or the search for them.
function reports({ links, searched }) {
  if (links.length) return ["Reported: ", ...links.flatMap((address, place) => [place ? ", " : "", link(address)])];
  return searched ? `No report found. Searched: ${searched}.` : "Nobody has looked for a report yet.";
}

function causeCard(cause, loss) {
  const all = cause.entries.map((place) => data.run.known_defects[place]);
  const entries = all.filter((entry) => lossOf(entry) === loss);
  return el(
    "article",
    { class: "card" },
    el("h4", {}, cause.why),
    data.run.stand_ins[loss]
      ? el("p", {}, "Of the expression that stands in for the loss: ", el("code", {}, data.run.stand_ins[loss]), ".")
      : null,
    el("p", { class: "about" }, el("span", {}, reports(cause))),
    entries.slice(0, 1).map(defectCard),
    entries.length > 1
      ? lazily(el("details", {}, el("summary", {}, many(entries.length - 1, "further case"))), () =>
          entries.slice(1).map(defectCard),
        )
      : null,
  );
}

function causesOfLoss(loss, causes) {
  return lazily(
    el(
      "details",
      { class: "card group" },
      el(
        "summary",
        {},
        el("b", {}, loss),
        " ",
        el("span", { class: "quiet" }, many(causes.length, "cause")),
        el(
          "ul",
          { class: "reasons" },
          causes.map(({ why }) => el("li", {}, why)),
        ),
      ),
    ),
    () => causes.map((cause) => causeCard(cause, loss)),
  );
}

function causesOfKind(kind, causes) {
  const [name, meaning] = KINDS[kind] || [kind, ""];
  const pairs = causes.flatMap((cause) =>
    unique(cause.entries.map((place) => lossOf(data.run.known_defects[place]))).map((loss) => ({ loss, cause })),
  );
  const losses = [...groupBy(pairs, ({ loss }) => loss)].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    el("h3", {}, `${name}: ${many(causes.length, "cause")}`),
    meaning ? el("p", { class: "quiet" }, meaning) : null,
    losses.map(([loss, found]) =>
      causesOfLoss(
        loss,
        found.map(({ cause }) => cause),
      ),
    ),
  ].flat();
}

function defectSection() {
  const defects = data.run.known_defects;
  if (!defects.length) return null;
  const causes = `${many(data.causes.length, "cause")} on record, in ${many(defects.length, "entry", "entries")}`;
  const count = whole(data.causes.length);
  return folded({ id: "defects", title: "Known defects", short: "Defects", count, about: causes }, () => [
    el(
      "p",
      { class: "quiet" },
      "An entry holds for the releases that it names. A check of it that agrees fails the run, ",
      "or is told as news where the release is not on record. ",
      "They account for ",
      filterLink({ outcome: "known defect" }, {}, many(data.counts["known defect"], "check")),
      ".",
    ),
    ...[...groupBy(data.causes, ({ kind }) => kind)].flatMap(([kind, found]) => causesOfKind(kind, found)),
  ]);
}

function digitSection() {
  const cases = data.lost_digits;
  if (!cases.length) return null;
  const title = "Digits lost within budget";
  const [count, about] = [whole(cases.length), many(cases.length, "case")];
  return folded({ id: "digits", title, short: "Digits", count, about }, () => [
    el(
      "p",
      { class: "quiet" },
      "These cases lose digits, yet stay within the budget of their formula: they agree, and are worth knowing. ",
      "Of the worst number, so many decimal digits are wrong, of those that the dtype holds.",
    ),
    ...cases.map((lost) =>
      el(
        "article",
        { class: "card" },
        el("h3", {}, lost.title || lost.case),
        el("p", { class: "about" }, el("b", {}, lost.loss), caseLink(lost.case)),
        facts(
          lost.uses
            .filter((use) => use.lost !== null)
            .map((use) => [use.subject + ", " + use.dtype, digitsLost(use)]),
        ),
      ),
    ),
  ]);
}

const digitsLost = ({ lost, of, share: used }) =>
  `${lost === of ? "all" : lost} of ${of} digits, ${share(used) || "no share"} of the budget`;
