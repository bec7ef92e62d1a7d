// The page: one function a section, in the order in which a reader wants them.

const OPEN_FAILURES = 3;
const data = JSON.parse(document.getElementById("data").textContent);
const rows = rowsTable(data.columns, openRow);

function section(id, title, ...content) {
  return el("section", { id, "aria-labelledby": id + "-title" }, el("h2", { id: id + "-title", tabindex: "-1" }, title), ...content);
}

function goToRows(filters) {
  rows.show(filters);
  document.getElementById("checks").scrollIntoView();
  document.getElementById("checks-title").focus({ preventScroll: true });
}

function caseButton(name) {
  return el("button", { type: "button", class: "case", onclick: () => goToRows({ search: name }) }, name);
}

function head() {
  document.getElementById("verdict").append(
    el("span", { class: "sign " + (data.verdict.conforms ? "agree" : "disagree"), "aria-hidden": "true" }, data.verdict.conforms ? "✓" : "✗"),
    el("span", {}, data.verdict.sentence));
  document.getElementById("incomplete").hidden = data.run.complete;
  const problems = document.getElementById("problems");
  problems.hidden = !data.run.problems.length;
  problems.append(...data.run.problems.map((problem) => el("li", {}, problem)));
  document.getElementById("counts").append(...Object.entries(data.counts).map(([outcome, number]) =>
    el("li", { class: number ? null : "zero" }, el("b", {}, whole(number)), badge(outcome))));
  document.getElementById("facts").append(facts([...pairs(data.run.versions),
    ["subjects", data.matrix.subjects.join(", ")], ["dtypes", [...data.columns.dtype.table].sort().join(", ")]]));
}

function pairs(object) {
  const plain = (value) => Array.isArray(value) ? value.join(", ") : value !== null && typeof value === "object" ? JSON.stringify(value) : String(value ?? "");
  return Object.entries(object).map(([name, value]) => [name.replaceAll("_", " "), plain(value)]);
}

function runSection() {
  const { run } = data;
  const took = run.seconds < 120 ? run.seconds.toFixed(1) + " s" : (run.seconds / 60).toFixed(1) + " min";
  return section("run", "The run", el("h3", {}, "As asked for"), facts(pairs(run.options)),
    el("h3", {}, "Where and when"), facts([...pairs(run.machine), ["started", run.started], ["took", took]]));
}

function matrixCell(loss, subject, cell) {
  if (!cell.length) return el("td", { class: "empty" }, el("span", { class: "quiet" }, "not run"));
  const label = (part) => part.outcome === "agree" || part.outcome === "unsupported" ? part.outcome : whole(part.count) + " " + part.outcome.replace("known defect", "known");
  const alone = cell.every((part) => part.outcome === "unsupported");
  const lines = alone ? [badge("unsupported")] : cell.map((part) => el("span", { class: "line" }, el("span", { class: "dtype" }, part.dtype),
    badge(part.outcome, label(part)), el("span", { class: "number" }, share(part.share))));
  return el("td", { "data-subject": subject }, el("button", { type: "button", "aria-label": `${loss}, ${subject}: ` + cell.map((part) => `${part.dtype} ${label(part)}${part.share === null ? "" : ", at most " + share(part.share) + " of the budget"}`).join("; "),
    onclick: () => goToRows({ loss, subject }) }, lines));
}

function matrixSection() {
  const { subjects, losses } = data.matrix;
  if (!losses.length) return section("matrix", "Losses and subjects", el("p", { class: "quiet" }, "No loss ran on any subject."));
  return section("matrix", "Losses and subjects",
    el("div", { class: "wide-table", tabindex: "0", role: "region", "aria-labelledby": "matrix-caption" }, el("table", { class: "matrix" },
      el("caption", { id: "matrix-caption" }, "By dtype: the gravest outcome, and the largest error as a share of its budget, at most 1 where it agrees. A cell shows its checks below."),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Loss"), subjects.map((subject) => el("th", { scope: "col" }, subject)))),
      el("tbody", {}, losses.map(({ loss, cells }) => el("tr", {}, el("th", { scope: "row" }, loss),
        cells.map((cell, place) => matrixCell(loss, subjects[place], cell))))))));
}

function cited(source) {
  return source ? [source.claim, source.document, source.place].filter(Boolean).join(" · ") : "";
}

function check(row) {
  const detail = data.details[row] || {};
  const where = ["dtype", "reduction", "quantity", "layout", "device"].map((name) => [name, rows.cell(name, row)]);
  const sides = ["expected", "observed"].filter((name) => detail[name]).map((name) => code(name, detail[name]));
  return el("div", { class: "check" },
    el("p", { class: "check-head" }, badge(rows.cell("outcome", row)), " ", el("span", { class: "message" }, rows.cell("message", row))),
    facts([...where, ["error / budget", share(data.columns.share[row])]]),
    detail.params ? code("params", detail.params) : null, detail.inputs ? code("inputs", detail.inputs) : null,
    sides.length ? el("div", { class: "sides" }, sides) : null,
    detail.why ? el("p", { class: "why" }, el("b", {}, "Why it matters: "), detail.why) : null,
    detail.snippet ? code("with torch alone", detail.snippet, true) : null);
}

function caseHead(about) {
  return [el("code", {}, about.file + ":" + about.line), about.source ? el("span", {}, cited(about.source)) : null,
    ...about.flags.map((flag) => el("span", { class: "flag" }, flag))];
}

function failureCard({ rows: places, checks }, position) {
  const about = rows.caseOf(places[0]);
  const subject = rows.cell("subject", places[0]);
  const rest = checks - places.length;
  // The first stand open; of the others the heading is enough until somebody asks.
  const card = el("details", { class: "card failure", open: position < OPEN_FAILURES },
    el("summary", {}, el("h3", {}, about.title || about.case), el("span", { class: "about" }, badge(rows.cell("outcome", places[0]), many(checks, "check")),
      el("b", {}, about.loss), el("span", {}, "on " + subject))),
    el("p", { class: "about" }, caseButton(about.case), ...caseHead(about)), check(places[0]));
  if (places.length > 1) card.append(el("details", {}, el("summary", {}, many(places.length - 1, "further check") + " of this case on " + subject), places.slice(1).map(check)));
  if (rest > 0) card.append(el("p", { class: "quiet" }, `and ${whole(rest)} more, listed among `,
    el("button", { type: "button", class: "case", onclick: () => goToRows({ search: about.case, subject }) }, "all checks")));
  return card;
}

function failureSection() {
  const { shown, groups } = data.failures;
  if (!groups) return null;
  const rest = groups - shown.length;
  return section("failures", "What disagrees",
    el("p", { class: "quiet" }, many(data.failures.checks, "check") + " in " + many(groups, "case") + ", a case counted once for each subject."),
    shown.map((failure, position) => failureCard(failure, position)), rest > 0 ? el("p", {}, el("b", {}, `${whole(rest)} more`), " are not drawn here; the table of all checks lists them.") : null);
}

function defectSection() {
  const defects = data.run.known_defects;
  if (!defects.length) return null;
  const text = (value) => typeof value === "string" ? value : JSON.stringify(value);
  return section("defects", "Known defects of torch", defects.map((defect) => el("article", { class: "card" },
    el("h3", {}, defect.case ? caseButton(defect.case) : "a known defect"),
    el("p", { class: "about" }, badge("known defect", defect.kind || "known defect"), defect.subject ? el("span", {}, "on " + text(defect.subject)) : null,
      defect.file ? el("code", {}, defect.file + ":" + defect.line) : null),
    el("p", {}, defect.why || ""),
    el("div", { class: "sides" }, code("what comes out", text(defect.observed ?? "")), code("what should", text(defect.expected ?? ""))),
    defect.link ? el("p", { class: "link" }, link(defect.link)) : null,
    // A program that packs a large tensor is long: results.jsonl holds it.
    defect.snippet && defect.snippet.length < 4000
      ? el("details", {}, el("summary", {}, "reproduce it"), code("with torch alone", defect.snippet, true)) : null)));
}

const VERDICTS = { confirmed: "agree", contradicted: "disagree", erratum: "known-defect", drifted: "known-defect", "not checked": "unsupported", "known defect": "known-defect" };
const VERDICT_SIGNS = { confirmed: "✓", contradicted: "✗", erratum: "≠", drifted: "↷", "not checked": "–", "known defect": "◆" };

function claimRow(claim) {
  return el("tr", {}, el("th", { scope: "row" }, claim.claim || "-", el("span", { class: "place" }, claim.places.filter(Boolean).join("; "))),
    el("td", { class: "verdict" }, el("span", { class: "outcome " + VERDICTS[claim.verdict] }, el("span", { class: "sign", "aria-hidden": "true" }, VERDICT_SIGNS[claim.verdict]), " ", claim.verdict),
      claim.by.length ? el("span", { class: "place" }, "by " + claim.by.join(", ")) : null),
    el("td", {}, claim.cases.map(({ case: name, title }) => el("p", {}, title || name, " ", caseButton(name))),
      claim.findings.map((finding) => el("div", { class: "finding" }, el("p", {}, el("b", {}, finding.kind === "drifted" ? "It was: " : "The document says: "), finding.says || ""),
        el("p", {}, el("b", {}, finding.kind === "drifted" ? "Since then: " : "Why it is wrong: "), finding.because || ""))),
      claim.messages.length ? el("ul", { class: "printed" }, claim.messages.map((message) => el("li", {}, message))) : null));
}

function documentSection() {
  if (!data.documents.length) return null;
  return section("documents", "The documents", data.documents.map(({ document: name, claims }) => {
    const tally = Object.keys(VERDICTS).map((verdict) => [claims.filter((claim) => claim.verdict === verdict).length, verdict]).filter(([number]) => number);
    return el("section", {}, el("h3", {}, name), el("div", { class: "wide-table" }, el("table", { class: "claims" },
      el("caption", {}, many(claims.length, "claim") + ": " + tally.map(([number, verdict]) => number + " " + verdict).join(", ")),
      el("thead", {}, el("tr", {}, ["Claim", "Verdict", "What was tried, and what came out"].map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, claims.map(claimRow)))));
  }));
}

function digitSection() {
  if (!data.lost_digits.length) return null;
  return section("digits", "Digits lost within budget",
    el("p", { class: "quiet" }, "These cases lose digits, yet stay within the budget of their formula: they agree, and are worth knowing."),
    data.lost_digits.map((lost) => el("article", { class: "card" }, el("h3", {}, lost.title || lost.case),
      el("p", { class: "about" }, el("b", {}, lost.loss), caseButton(lost.case)),
      facts(lost.uses.map((use) => [use.subject + ", " + use.dtype, share(use.share) || "no budget"])),
      lost.messages.map((message) => el("p", { class: "message" }, message)))));
}

function budgetSection() {
  const plots = sharePlots(data.columns);
  if (!plots.length) return null;
  return section("budget", "Budget used",
    el("p", { class: "quiet" }, "Each check's largest error over its budget: exact, in tenths up to 1, and beyond. Heights go by the square root of the count."),
    el("div", { class: "plots" }, plots));
}

function openRow(row) {
  const about = rows.caseOf(row);
  const dialog = document.getElementById("opened");
  const failed = ["disagree", "error"].includes(rows.cell("outcome", row));
  dialog.replaceChildren(
    el("button", { type: "button", class: "close", onclick: () => dialog.close(), autofocus: true }, "Close"),
    el("h2", { id: "opened-title" }, about.title || about.case),
    el("p", { class: "about" }, el("b", {}, about.loss), el("span", {}, "on " + rows.cell("subject", row)), el("code", {}, about.case), ...caseHead(about)), check(row),
    failed && !data.details[row] ? el("p", { class: "quiet" }, "Inputs and snippet of this check stand in results.jsonl.") : "");
  dialog.showModal();
  dialog.scrollTop = 0;
}

document.getElementById("opened").addEventListener("click", (event) => {
  if (event.target.id === "opened") event.target.close();
});

head();
// What disagrees comes before the run's facts whenever something does.
const sections = [failureSection(), matrixSection(), defectSection(), documentSection(), budgetSection(), digitSection(), faultSection(),
  section("checks", "All checks", ...rows.elements), runSection()].filter(Boolean);
document.getElementById("sections").append(...sections);
document.getElementById("contents").append(...sections.map((part) => el("a", { href: "#" + part.id }, part.querySelector("h2").textContent)));
rows.start();
