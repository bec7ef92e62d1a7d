// The page: the head, the sections, and the view that the address asks for.

// The head stands in the page already; with a script, its counts lead to their checks.
function linkCounts() {
  for (const item of document.querySelectorAll("#counts li:not(.zero)")) {
    const label = item.querySelector(".outcome");
    const { outcome } = item.dataset;
    label.replaceWith(filterLink({ outcome }, {}, label.cloneNode(true)));
  }
}

// The navigation stays in sight: the verdict, which leads to the top, and each section with its count.
function navigation(sections) {
  const { conforms } = data.verdict;
  const bar = document.getElementById("contents");
  const style = conforms ? "agree" : "disagree";
  const links = el(
    "div",
    { class: "links" },
    el("a", { href: "#top", class: style }, el("span", { class: "sign" }, conforms ? "✓" : "✗"), " Top"),
    sections.map(({ id, dataset: { short, count } }) =>
      el("a", { href: "#" + id }, short, count ? [" ", el("span", { class: "count" }, count)] : null),
    ),
  );
  bar.append(scrolling(links));
  bar.hidden = false;
}

function runSection() {
  const { run } = data;
  const took = run.seconds < 120 ? run.seconds.toFixed(1) + " s" : (run.seconds / 60).toFixed(1) + " min";
  return folded({ id: "run", title: "The run", short: "Run", about: took }, () => [
    el("h3", {}, "As asked for"),
    facts(pairs(run.options)),
    el("h3", {}, "With"),
    facts(pairs(run.versions)),
    implementations(run),
    el("h3", {}, "Where and when"),
    facts([...pairs(run.machine), ["started", run.started], ["took", took]]),
  ]);
}

// What the implementations say of themselves.
function implementations(run) {
  const said = Object.entries(run.implementations).map(([name, { language, tracker }]) => [
    name,
    el("span", {}, language, language && tracker && ", ", tracker && el("a", { href: tracker }, "report a defect")),
  ]);
  return said.length ? [el("h3", {}, "Implementations"), facts(said)] : [];
}

function checkSection() {
  const count = whole(checks.total);
  const told = el("p", { class: "quiet" }, data.ran);
  return section({ id: "checks", title: "All checks", short: "Checks", count }, told, ...table.elements);
}

function openRow(row) {
  const name = checks.caseOf(row).case;
  history.pushState(null, "", "#" + encodeURIComponent(name));
  drawCase(name, row);
  shown = location.href;
}

let shown = "";

// Shows what the address asks for: at load, after a link, and on the way back and forth.
function arrive() {
  if (location.href === shown) return;
  shown = location.href;
  const { filters, anchor } = readAddress();
  table.show(filters);
  const part = document.getElementById(anchor);
  if (anchor && !part) return caseNamed(anchor) ? drawCase(anchor) : drawMissing(anchor);
  if (dialog.open) dialog.close();
  if (part) reach(part);
}

// Opens a part of the page, and puts the keyboard where it begins.
function reach(part) {
  if (part.matches(".folded, .document")) opened(part.querySelector("details"));
  if (part.matches(".loss")) opened(part);
  part.scrollIntoView();
  (document.getElementById(part.id + "-title") || part).focus({ preventScroll: true });
}

// On paper nothing can be opened: the claims of every document are, and of every loss what fails and an example.
let openedForPaper = [];
addEventListener("beforeprint", () => {
  const open = (details) => {
    if (details.open) return;
    openedForPaper.push(details);
    opened(details);
  };
  document.querySelectorAll("#failures > details, .document > details").forEach(open);
  for (const loss of document.querySelectorAll("#failures > details")) {
    const example = loss.querySelector(".failure");
    open(example);
    [...example.querySelectorAll(".worked")].slice(0, 1).forEach(open);
  }
});
addEventListener("afterprint", () => {
  for (const details of openedForPaper) details.open = false;
  openedForPaper = [];
});

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  return JSON.parse(
    await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text(),
  );
}

let data, checks, table;

async function start() {
  const text = (id) => document.getElementById(id).textContent;
  data = { ...JSON.parse(text("data")), ...(await unpacked(text("packed"))) };
  learnOutcomes(data.outcomes);
  checks = queries(data.columns);
  table = rowsTable(checks, openRow);
  linkCounts();
  const sections = [
    matrixSection(),
    failureSection(),
    comparisonSection(),
    documentSection(),
    checkSection(),
    budgetSection(),
    overflowSection(),
    ruleSection(),
    defectSection(),
    historySection(),
    digitSection(),
    faultSection(),
    runSection(),
  ].filter(Boolean);
  document.getElementById("sections").replaceChildren(...sections);
  navigation(sections);
  arrive();
  addEventListener("popstate", arrive);
  addEventListener("hashchange", () => {
    arrive();
    // Between the two events, the browser has moved the focus elsewhere.
    const { anchor } = readAddress();
    if (document.getElementById(anchor)) reach(document.getElementById(anchor));
  });
}

start();
