// The planted faults: bugs that were put into torch on purpose, and the cases that catch them.

const CELL = 8;
const SHORT_LIST = 3;

// A row per fault and a column per case that catches any; darker if in more dtypes.
function killMatrix(faults) {
  const cases = [...new Set(faults.flatMap((fault) => Object.keys(fault.kills)))].sort();
  const places = new Map(cases.map((name, place) => [name, place]));
  const cells = faults.flatMap((fault, row) =>
    Object.entries(fault.kills).map(([name, dtypes]) =>
      svg(
        "rect",
        {
          x: places.get(name) * CELL,
          y: row * CELL,
          width: CELL - 1,
          height: CELL - 1,
          "fill-opacity": 0.25 + (0.75 * Math.min(dtypes.length, 4)) / 4,
        },
        svg("title", {}, `${fault.id} × ${name}: ${dtypes.join(", ")}`),
      ),
    ),
  );
  const width = cases.length * CELL,
    height = faults.length * CELL;
  return el(
    "div",
    { class: "wide-table", tabindex: "0", role: "region", "aria-label": "which case catches which fault" },
    svg(
      "svg",
      {
        class: "kills",
        width,
        height,
        viewBox: `0 0 ${width} ${height}`,
        role: "img",
        "aria-label": `${many(faults.length, "fault")} by ${many(cases.length, "case")}; the list below says the same`,
      },
      ...cells,
    ),
  );
}

// "12 of 13 faults", counting those that the tested torch can have.
function caughtOf(faults) {
  const applying = faults.filter((fault) => !fault.not_applicable);
  const caught = faults.filter((fault) => Object.keys(fault.kills).length).length;
  return `${whole(caught)} of ${many(applying.length, "fault")}`;
}

function notApplicable(faults) {
  return faults.filter((fault) => fault.not_applicable).length;
}

function faultBadge(fault) {
  if (Object.keys(fault.kills).length) return badge("agree", "caught");
  return fault.not_applicable ? badge("unsupported", "not applicable") : badge("disagree", "not caught");
}

function faultCard(fault) {
  const killers = Object.entries(fault.kills);
  const shown = killers
    .slice(0, SHORT_LIST)
    .map(([name, dtypes]) => el("span", {}, caseLink(name), " in " + dtypes.join(", ")));
  const theirs =
    fault.pytorch === null
      ? null
      : badge(
          fault.pytorch ? "agree" : "unsupported",
          fault.pytorch ? "PyTorch's tests too" : "PyTorch's tests do not",
        );
  return el(
    "li",
    {},
    el(
      "p",
      {},
      faultBadge(fault),
      " ",
      fault.mistake,
    ),
    el(
      "p",
      { class: "about" },
      el("code", {}, fault.id),
      theirs,
      fault.blind ? el("span", {}, "written blind") : null,
      fault.origin ? link(fault.origin) : null,
    ),
    fault.not_applicable ? el("p", { class: "about" }, fault.not_applicable) : null,
    killers.length
      ? el(
          "p",
          { class: "about" },
          shown,
          killers.length > SHORT_LIST
            ? el("span", {}, "and " + many(killers.length - SHORT_LIST, "further case"))
            : null,
        )
      : null,
  );
}

function faultsOfLoss(loss, faults) {
  const others = notApplicable(faults) ? `, ${whole(notApplicable(faults))} not applicable` : "";
  const compared = faults.filter((fault) => fault.pytorch !== null);
  const theirs = compared.length
    ? `; PyTorch's own tests catch ${whole(compared.filter((fault) => fault.pytorch).length)} of the ${whole(compared.length)} they met`
    : "";
  return lazily(
    el(
      "details",
      { class: "card" },
      el("summary", {}, el("b", {}, loss), ` ${caughtOf(faults)} caught${others}${theirs}`),
    ),
    () => [
      el("p", { class: "quiet" }, "A row is a fault, a column a case that catches one; darker where it does in more dtypes."),
      killMatrix(faults),
      el("ul", { class: "faults" }, faults.map(faultCard)),
    ],
  );
}

function faultSection() {
  const findings = data.faults;
  if (!findings) return null;
  const losses = groupBy(findings.faults, (fault) => fault.loss);
  const compared = findings.faults.filter((fault) => fault.pytorch !== null);
  const sentences = [
    `${caughtOf(findings.faults)} that were planted in torch, one at a time, are caught.`,
  ];
  const others = notApplicable(findings.faults);
  if (others) sentences.push(`${whole(others)} more cannot be planted in this torch, or cannot show there.`);
  const theirs = whole(compared.filter((fault) => fault.pytorch).length);
  if (compared.length)
    sentences.push(`Of ${whole(compared.length)} of them, PyTorch's own tests of its losses catch ${theirs}.`);
  if (findings.cases !== data.run.versions.cases) sentences.push("That was tried with other case files than this run's.");
  if (!findings.full)
    sentences.push("Each fault is shown with the first cases that catch it; make faults FULL=1 tries all.");
  const about = `${caughtOf(findings.faults)} caught`;
  const count = whole(findings.faults.length);
  return folded({ id: "faults", title: "Planted faults", short: "Faults", count, about }, () => [
    el("p", { class: "quiet" }, sentences.join(" ")),
    findings.problems.length
      ? el(
          "details",
          { class: "card" },
          el("summary", {}, badge("disagree", many(findings.problems.length, "problem"))),
          el(
            "ul",
            {},
            findings.problems.map((problem) => el("li", {}, problem)),
          ),
        )
      : null,
    [...losses].map(([loss, faults]) => faultsOfLoss(loss, faults)),
    facts([
      ["tried", findings.made],
      ["torch", findings.torch],
      ["took", whole(Math.round(findings.seconds)) + " CPU seconds"],
    ]),
  ]);
}
