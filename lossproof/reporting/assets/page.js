// The page: the head, the sections, and the view that the address asks for.

function head() {
  document.getElementById("standing").append(...data.run.standing.map((sentence) => el("p", {}, sentence)));
  const { conforms, sentence } = data.verdict;
  document
    .getElementById("verdict")
    .append(
      el("span", { class: "sign " + (conforms ? "agree" : "disagree"), "aria-hidden": "true" }, conforms ? "✓" : "✗"),
      el("span", {}, sentence),
    );
  document.getElementById("incomplete").hidden = data.run.complete;
  for (const name of ["problems", "news"]) {
    const list = document.getElementById(name);
    list.hidden = !data.run[name].length;
    list.append(...data.run[name].map((sentence) => el("li", {}, sentence)));
  }
  document
    .getElementById("counts")
    .append(
      ...Object.entries(data.counts).map(([outcome, number]) =>
        el(
          "li",
          { class: number ? null : "zero" },
          el("b", {}, whole(number)),
          number ? filterLink({ outcome }, {}, badge(outcome)) : badge(outcome),
        ),
      ),
    );
  const { tested, versions, started } = data.run;
  const named = unique([...tested, ...Object.keys(versions)]).filter((name) => name !== "cases");
  document
    .getElementById("facts")
    .append(
      el(
        "p",
        { class: "quiet" },
        [
          ...named.map((name) => `${name} ${versions[name]}`),
          (started || "").slice(0, 16).replace("T", " "),
        ]
          .filter(Boolean)
          .join(" · "),
      ),
    );
}

function runSection() {
  const { run } = data;
  const took = run.seconds < 120 ? run.seconds.toFixed(1) + " s" : (run.seconds / 60).toFixed(1) + " min";
  return section(
    "run",
    "The run",
    el("h3", {}, "As asked for"),
    facts(pairs(run.options)),
    el("h3", {}, "With"),
    facts(pairs(run.versions)),
    implementations(run),
    el("h3", {}, "Where and when"),
    facts([...pairs(run.machine), ["started", run.started], ["took", took]]),
  );
}

// What the implementations say of themselves.
function implementations(run) {
  const said = Object.entries(run.implementations).map(([name, { language, tracker }]) => [
    name,
    el("span", {}, language, language && tracker && ", ", tracker && el("a", { href: tracker }, "report a defect")),
  ]);
  return said.length ? [el("h3", {}, "Implementations"), facts(said)] : [];
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
  const isSection = document.getElementById(anchor);
  if (anchor && !isSection) return caseNamed(anchor) ? drawCase(anchor) : drawMissing(anchor);
  if (dialog.open) dialog.close();
  if (!isSection) return;
  isSection.scrollIntoView();
  const title = document.getElementById(anchor + "-title");
  if (title) title.focus({ preventScroll: true });
}

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
  head();
  const sections = [
    matrixSection(),
    failureSection(),
    comparisonSection(),
    documentSection(),
    budgetSection(),
    overflowSection(),
    ruleSection(),
    defectSection(),
    historySection(),
    digitSection(),
    faultSection(),
    section("checks", "All checks", ...table.elements),
    runSection(),
  ].filter(Boolean);
  document.getElementById("sections").append(...sections);
  document
    .getElementById("contents")
    .append(...sections.map((part) => el("a", { href: "#" + part.id }, part.querySelector("h2").textContent)));
  arrive();
  addEventListener("popstate", arrive);
  addEventListener("hashchange", arrive);
}

start();
