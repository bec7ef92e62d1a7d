// All checks in one table that draws only its visible rows.

function rowsTable(checks, open) {
  const { total, cell, caseOf } = checks;
  const HEADINGS = [
    ["outcome", "Outcome"],
    ["case", "Case"],
    ["loss", "Loss"],
    ["subject", "Subject"],
    ["dtype", "Dtype"],
    ["quantity", "Quantity"],
    ["reduction", "Reduction"],
    ["layout", "Layout"],
    ["share", "Error / budget"],
  ];
  const narrow = matchMedia("(max-width: 700px)");
  let order = new Uint32Array(0);
  let sorted = { name: "", down: false };
  let drawn = [-1, -1];
  let current = 0;

  const search = el("input", {
    type: "search",
    id: "search",
    placeholder: "case, title, message, file …",
    oninput: () => changed(),
  });
  const selects = Object.fromEntries(
    FILTERS.map((name) => [
      name,
      el("select", { id: "filter-" + name, onchange: () => changed() }),
    ]),
  );
  const status = el("p", { class: "status", role: "status" });
  const clear = el(
    "button",
    {
      type: "button",
      onclick: () => {
        show({ sort: sortText() });
        remember();
        search.focus();
      },
    },
    "Clear",
  );
  const controls = el(
    "div",
    { class: "controls", role: "search", "aria-label": "Checks" },
    el("label", { class: "wide" }, el("span", {}, "Search"), search),
    clear,
    FILTERS.map((name) => el("label", {}, el("span", {}, name), selects[name])),
  );

  const headings = HEADINGS.map(([name, text]) =>
    el(
      "th",
      { scope: "col", role: "columnheader", class: "c-" + name },
      el(
        "button",
        {
          type: "button",
          onclick: () => {
            sortBy(name);
            remember();
          },
        },
        text,
        el("span", { class: "arrow", "aria-hidden": "true" }, " ↕"),
      ),
    ),
  );
  headings.push(el("th", { scope: "col", role: "columnheader", class: "c-why" }, "or why there is none"));
  const body = el("tbody", { role: "rowgroup" });
  const table = el(
    "table",
    { role: "table", class: "rows" },
    el("caption", { id: "rows-caption" }, "Every check. Headings sort, arrow keys move, a row opens its case."),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, headings)),
    body,
  );
  const scroller = el(
    "div",
    { class: "scroller", tabindex: "0", role: "region", "aria-labelledby": "rows-caption" },
    table,
  );

  const wanted = () =>
    Object.fromEntries([["search", search.value], ...FILTERS.map((name) => [name, selects[name].value])]);
  const sortText = () => sorted.name && (sorted.down ? "-" : "") + sorted.name;

  function remember() {
    history.replaceState(null, "", addressOf({ ...wanted(), sort: sortText() }, "checks"));
  }

  function changed() {
    filter();
    remember();
  }

  function filter() {
    const filters = wanted();
    const { kept, values } = checks.select(filters);
    for (const name of FILTERS) offer(name, values(name), filters[name]);
    order = sorted.name ? checks.arrange(kept, sorted.name, sorted.down) : kept;
    status.textContent =
      kept.length === total ? many(total, "check") : whole(kept.length) + " of " + many(total, "check");
    clear.disabled = !Object.values(filters).some(Boolean);
    scroller.scrollTop = 0;
    draw(true);
  }

  // A menu lists what occurs under the other filters, and what it is set to.
  function offer(name, values, chosen) {
    const all = name === "outcome" && FAILING.some((outcome) => values.includes(outcome)) ? [ANY_FAILING] : [];
    const options = unique(["", ...all, ...values, chosen]);
    selects[name].replaceChildren(...options.map((value) => el("option", { value }, value || "all")));
    selects[name].value = chosen;
  }

  function sortBy(name) {
    // Readers look for the largest errors first.
    arrangeBy({ name, down: sorted.name === name ? !sorted.down : name === "share" });
    filter();
  }

  function arrangeBy(wish) {
    sorted = HEADINGS.some(([name]) => name === wish.name) ? wish : { name: "", down: false };
    HEADINGS.forEach(([name], place) => {
      const heading = headings[place];
      const own = name === sorted.name;
      if (own) heading.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
      heading.querySelector(".arrow").textContent = own ? (sorted.down ? " ↓" : " ↑") : " ↕";
    });
  }

  // What did not simply pass says why in its row.
  const isTold = (row) => cell("outcome", row) !== "agree" && cell("message", row);

  function rowElement(position) {
    const row = order[position];
    const about = caseOf(row);
    const td = (name, ...children) => el("td", { role: "cell", class: "c-" + name }, ...children);
    return el(
      "tr",
      {
        role: "row",
        "aria-rowindex": position + 2,
        class: position % 2 ? "odd" : null,
        onclick: (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          open(row);
        },
      },
      td("outcome", badge(cell("outcome", row))),
      td(
        "case",
        el(
          "a",
          {
            class: "open",
            href: "#" + encodeURIComponent(about.case),
            title: about.title,
            "data-position": position,
            tabindex: "-1",
          },
          about.case,
        ),
      ),
      td("loss", about.loss),
      td("subject", cell("subject", row)),
      td("dtype", cell("dtype", row)),
      td("quantity", cell("quantity", row)),
      td("reduction", cell("reduction", row)),
      td("layout", cell("layout", row)),
      td("share", share(checks.share(row))),
      td("why", isTold(row) ? el("span", { title: cell("message", row) }, cell("message", row)) : null),
    );
  }

  function draw(anew) {
    const height = narrow.matches ? 132 : 56;
    const first = Math.max(0, Math.floor(scroller.scrollTop / height) - 8);
    const last = Math.min(order.length, first + Math.ceil(innerHeight / height) + 16);
    if (!anew && drawn[0] === first && drawn[1] === last) return;
    const held = body.contains(document.activeElement) ? Number(document.activeElement.dataset.position) : null;
    drawn = [first, last];
    body.style.paddingTop = first * height + "px";
    body.style.paddingBottom = (order.length - last) * height + "px";
    body.replaceChildren(...Array.from({ length: last - first }, (_, offset) => rowElement(first + offset)));
    table.setAttribute("aria-rowcount", order.length + 1);
    if (!order.length) {
      const nothing = total ? "No check matches these filters." : "The run holds no checks.";
      body.append(el("tr", { role: "row" }, el("td", { role: "cell", class: "none" }, nothing)));
    }
    const links = body.querySelectorAll("a.open");
    hold([...links].find((link) => Number(link.dataset.position) === current) || links[0]);
    if (held !== null) (body.querySelector(`[data-position="${held}"]`) || scroller).focus({ preventScroll: true });
  }

  // One stop of the Tab key for all rows.
  function hold(link) {
    body.querySelectorAll("a.open[tabindex='0']").forEach((other) => (other.tabIndex = -1));
    if (!link) return;
    link.tabIndex = 0;
    current = Number(link.dataset.position);
  }
  body.addEventListener("focusin", ({ target }) => hold(target.closest("a.open")));

  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = step && body.querySelector(`[data-position="${Number(event.target.dataset.position) + step}"]`);
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.closest("tr").scrollIntoView({ block: "nearest" });
  });
  scroller.addEventListener("scroll", () => draw(false), { passive: true });
  addEventListener("resize", () => draw(true));

  function show(filters) {
    search.value = filters.search || "";
    // A value that this run lacks must not count as no filter.
    for (const name of FILTERS) offer(name, [], filters[name] || "");
    const sort = filters.sort || "";
    arrangeBy({ name: sort.replace(/^-/, ""), down: sort.startsWith("-") });
    filter();
  }

  return {
    elements: [controls, status, scroller],
    show,
    address: (anchor) => addressOf({ ...wanted(), sort: sortText() }, anchor),
  };
}
