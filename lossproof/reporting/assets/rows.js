// Every check in one table of which only the visible rows are drawn.

function rowsTable(columns, open) {
  const total = columns.share.length;
  const cases = columns.case.table;
  const cell = (name, row) => columns[name].table[columns[name].rows[row]];
  const caseOf = (row) => cases[columns.case.rows[row]];
  const HEADINGS = [["outcome", "Outcome"], ["loss", "Loss"], ["case", "Case"], ["subject", "Subject"], ["dtype", "Dtype"],
    ["reduction", "Reduction"], ["quantity", "Quantity"], ["share", "Error / budget"]];
  const FILTERS = ["loss", "subject", "dtype", "outcome", "quantity"];
  const narrow = matchMedia("(max-width: 700px)");
  let order = Uint32Array.from({ length: total }, (_, row) => row);
  let sorted = { name: null, down: false };
  let drawn = [-1, -1];

  const rank = (table, text) => {
    const places = table.map((_, place) => place).sort((a, b) => text(table[a]) < text(table[b]) ? -1 : text(table[a]) > text(table[b]) ? 1 : 0);
    const ranks = new Uint32Array(table.length);
    places.forEach((place, position) => { ranks[place] = position && text(table[place]) === text(table[places[position - 1]]) ? ranks[places[position - 1]] : position; });
    return ranks;
  };
  const sortKeys = (name) => {
    if (name === "share") return (row) => { const s = columns.share[row]; return s === null ? -1 : typeof s === "string" ? Infinity : s; };
    const source = name === "loss" ? "case" : name;
    const ranks = rank(columns[source].table, name === "loss" ? (c) => c.loss : name === "case" ? (c) => c.case : (v) => v || "");
    return (row) => ranks[columns[source].rows[row]];
  };

  const search = el("input", { type: "search", id: "search", placeholder: "case, title, message, file …", oninput: () => filter() });
  const selects = Object.fromEntries(FILTERS.map((name) => {
    const values = name === "loss" ? cases.map((c) => c.loss) : columns[name].table;
    return [name, el("select", { id: "filter-" + name, onchange: () => filter() }, el("option", { value: "" }, "all"),
      [...new Set(values)].sort().map((value) => el("option", { value }, value)))];
  }));
  const status = el("p", { class: "status", role: "status" });
  const clear = el("button", { type: "button", onclick: () => show({}) }, "Clear");
  const controls = el("div", { class: "controls" },
    el("label", { class: "wide" }, el("span", {}, "Search"), search),
    FILTERS.map((name) => el("label", {}, el("span", {}, name), selects[name])), clear);

  const headings = HEADINGS.map(([name, text]) => el("th", { scope: "col", role: "columnheader", class: "c-" + name },
    el("button", { type: "button", onclick: () => sort(name) }, text, el("span", { class: "arrow", "aria-hidden": "true" }))));
  const body = el("tbody", { role: "rowgroup" });
  const table = el("table", { role: "table", class: "rows" }, el("caption", { id: "rows-caption" }, "Every check. Headings sort, a row opens its details."),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, headings)), body);
  const scroller = el("div", { class: "scroller", tabindex: "0", role: "region", "aria-labelledby": "rows-caption" }, table);

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const searched = ["subject", "dtype", "device", "layout", "reduction", "quantity", "outcome", "message"];
    const low = (text) => String(text || "").toLowerCase();
    const tests = words.map((word) => {
      const hits = searched.map((name) => [columns[name].rows, columns[name].table.map((value) => low(value).includes(word))]);
      hits.push([columns.case.rows, cases.map((c) => low([c.case, c.title, c.loss, c.file + ":" + c.line, c.flags.join(" "),
        Object.values(c.source || {}).join(" ")].join("\n")).includes(word))]);
      return (row) => hits.some(([rows, hit]) => hit[rows[row]]);
    });
    for (const name of FILTERS) {
      const wanted = selects[name].value;
      if (!wanted) continue;
      const source = name === "loss" ? "case" : name;
      const hit = columns[source].table.map((value) => (name === "loss" ? value.loss : value) === wanted);
      tests.push((row) => hit[columns[source].rows[row]]);
    }
    const kept = [];
    for (let row = 0; row < total; row++) if (tests.every((test) => test(row))) kept.push(row);
    order = Uint32Array.from(kept);
    if (sorted.name) arrange();
    status.textContent = kept.length === total ? many(total, "check") : whole(kept.length) + " of " + many(total, "check");
    clear.disabled = tests.length === 0;
    scroller.scrollTop = 0;
    draw(true);
  }

  function arrange() {
    const key = sortKeys(sorted.name);
    const sign = sorted.down ? -1 : 1;
    order.sort((a, b) => { const x = key(a), y = key(b); return x === y ? a - b : x < y ? -sign : sign; });
  }

  function sort(name) {
    // The largest errors are what one looks for first.
    sorted = { name, down: sorted.name === name ? !sorted.down : name === "share" };
    headings.forEach((heading, place) => {
      const own = HEADINGS[place][0] === name;
      if (own) heading.setAttribute("aria-sort", sorted.down ? "descending" : "ascending"); else heading.removeAttribute("aria-sort");
      heading.querySelector(".arrow").textContent = own ? (sorted.down ? " ↓" : " ↑") : "";
    });
    arrange();
    scroller.scrollTop = 0;
    draw(true);
  }

  function rowElement(position) {
    const row = order[position];
    const about = caseOf(row);
    const td = (name, ...children) => el("td", { role: "cell", class: "c-" + name }, ...children);
    const button = el("button", { type: "button", class: "open", "data-position": position }, about.case);
    const tr = el("tr", { role: "row", "aria-rowindex": position + 2, class: position % 2 ? "odd" : "" },
      td("outcome", badge(cell("outcome", row))), td("loss", about.loss), td("case", button), td("subject", cell("subject", row)),
      td("dtype", cell("dtype", row)), td("reduction", cell("reduction", row)), td("quantity", cell("quantity", row)),
      td("share", share(columns.share[row])));
    tr.addEventListener("click", () => open(row));
    return tr;
  }

  function draw(anew) {
    const height = narrow.matches ? 116 : 38;
    const first = Math.max(0, Math.floor(scroller.scrollTop / height) - 8);
    const last = Math.min(order.length, first + Math.ceil(innerHeight / height) + 16);
    if (!anew && drawn[0] === first && drawn[1] === last) return;
    const held = body.contains(document.activeElement) ? Number(document.activeElement.dataset.position) : null;
    drawn = [first, last];
    body.style.paddingTop = first * height + "px";
    body.style.paddingBottom = (order.length - last) * height + "px";
    body.replaceChildren(...Array.from({ length: last - first }, (_, offset) => rowElement(first + offset)));
    table.setAttribute("aria-rowcount", order.length + 1);
    if (!order.length) body.append(el("tr", { role: "row" }, el("td", { role: "cell", class: "none" }, total ? "No check matches these filters." : "The run holds no checks.")));
    if (held !== null) (body.querySelector(`[data-position="${held}"]`) || scroller).focus({ preventScroll: true });
  }

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
    for (const name of FILTERS) selects[name].value = filters[name] || "";
    filter();
  }

  return { elements: [controls, status, scroller], show, cell, caseOf, start: () => show({}) };
}
