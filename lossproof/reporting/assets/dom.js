"use strict";
// Building elements. Data reaches the page as text nodes and plain attributes only, never as markup.

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

// The name in place of a dtype, for checks without one, such as those of modules.
const NO_DTYPE = "no dtype";

// The outcomes, the gravest first; those that fail a run; the sign of each.
const OUTCOMES = [],
  FAILING = [],
  SIGNS = {};
function learnOutcomes(table) {
  for (const { name, sign, fails } of table) {
    OUTCOMES.push(name);
    if (fails) FAILING.push(name);
    SIGNS[name] = sign;
  }
}
// The style and the sign of states that are not outcomes.
const STATES = { conforms: ["agree", "✓"], partly: ["partly", "◐"], "nothing to run": ["unsupported", "–"] };
const styleOf = (state) => (STATES[state] ? STATES[state][0] : state.replace(" ", "-"));
const signOf = (state) => (STATES[state] ? STATES[state][1] : SIGNS[state]);

function badge(outcome, text) {
  return signed(outcome.replace(" ", "-"), SIGNS[outcome], text || outcome);
}

function signed(style, sign, text) {
  return el(
    "span",
    { class: "outcome " + style },
    el("span", { class: "sign", "aria-hidden": "true" }, sign),
    " ",
    text,
  );
}

const whole = (number) => number.toLocaleString("en");
const many = (number, noun, plural = noun + "s") => whole(number) + " " + (number === 1 ? noun : plural);
const unique = (values) => [...new Set(values)];

function groupBy(values, key) {
  const groups = new Map();
  for (const value of values) {
    const name = key(value);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(value);
  }
  return groups;
}

// A section of the page; ``short`` and ``count`` are for the navigation.
function section({ id, title, short = title, count = "" }, ...content) {
  return el(
    "section",
    { id, "aria-labelledby": id + "-title", "data-short": short, "data-count": count },
    el("h2", { id: id + "-title", tabindex: "-1" }, title),
    ...content,
  );
}

// A section that nobody needs at first: closed, and drawn when it is opened.
function folded({ id, title, short = title, count = "", about = "" }, draw) {
  return el(
    "section",
    { id, class: "folded", "aria-labelledby": id + "-title", "data-short": short, "data-count": count },
    lazily(
      el(
        "details",
        {},
        el(
          "summary",
          {},
          el("h2", { id: id + "-title", tabindex: "-1" }, title),
          el("span", { class: "quiet" }, about),
        ),
      ),
      draw,
    ),
  );
}

function facts(pairs) {
  const filled = pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return el(
    "dl",
    { class: "facts" },
    filled.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

// Fields of the run as pairs of text: lists joined, objects as JSON.
function pairs(object) {
  const plain = (value) =>
    Array.isArray(value)
      ? value.join(", ")
      : value !== null && typeof value === "object"
        ? JSON.stringify(value)
        : String(value ?? "");
  return Object.entries(object).map(([name, value]) => [name.replaceAll("_", " "), plain(value)]);
}

function link(address) {
  if (!/^https?:\/\//.test(address || "")) return address || "";
  return el("a", { href: address, rel: "noreferrer" }, address);
}

// What is larger than its place scrolls by itself, also by keyboard; what fits is no stop of the Tab key.
const fitting = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    // Lengths are rounded to whole pixels.
    const fits = target.scrollWidth <= target.clientWidth + 1 && target.scrollHeight <= target.clientHeight + 1;
    target.classList.toggle("fits", fits);
    // Links in it are stops of their own.
    if (fits || !target.hasAttribute("role")) target.removeAttribute("tabindex");
    else target.tabIndex = 0;
    fade(target);
  }
});

// The sides on which there is more fade out.
function fade(element) {
  const { scrollLeft, clientWidth, scrollWidth } = element;
  element.classList.toggle("more-left", scrollLeft > 1);
  element.classList.toggle("more-right", scrollLeft + clientWidth < scrollWidth - 1);
}

function scrolling(element) {
  fitting.observe(element);
  element.addEventListener("scroll", () => fade(element), { passive: true });
  return element;
}

const wide = (label, table) =>
  scrolling(el("div", { class: "wide-table", role: "group", "aria-label": label }, table));

// One stop of the Tab key for all links of a table; the arrow keys move among them.
function arrowKeys(table) {
  const rows = [...table.rows].map((row) => [...row.querySelectorAll("a")]).filter((links) => links.length);
  const links = rows.flat();
  const hold = (link) => links.forEach((one) => (one.tabIndex = one === link ? 0 : -1));
  hold(links[0]);
  table.addEventListener("focusin", ({ target }) => {
    if (links.includes(target)) hold(target);
  });
  table.addEventListener("keydown", (event) => {
    const row = rows.findIndex((one) => one.includes(event.target));
    if (row < 0) return;
    const place = rows[row].indexOf(event.target);
    const at = (line, column) => rows[line] && rows[line][Math.min(column, rows[line].length - 1)];
    const next = {
      ArrowUp: () => at(row - 1, place),
      ArrowDown: () => at(row + 1, place),
      ArrowLeft: () => rows[row][place - 1],
      ArrowRight: () => rows[row][place + 1],
      Home: () => rows[row][0],
      End: () => rows[row].at(-1),
    }[event.key];
    const link = next && next();
    if (!link) return;
    event.preventDefault();
    link.focus();
  });
  return table;
}

function copyButton(block) {
  const button = el("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", () => {
    // Some browsers deny local files the clipboard, or ask first; selected text can be copied by hand.
    getSelection().selectAllChildren(block);
    button.textContent = "Selected: press Ctrl+C";
    if (navigator.clipboard)
      navigator.clipboard.writeText(block.textContent).then(
        () => (button.textContent = "Copied"),
        () => {},
      );
    setTimeout(() => (button.textContent = "Copy"), 5000);
  });
  return button;
}

function code(label, text, copied) {
  const block = scrolling(el("pre", { role: "group", "aria-label": label }, text));
  return el(
    "div",
    { class: "code" },
    el("div", { class: "code-head" }, el("span", {}, label), copied ? copyButton(block) : null),
    block,
  );
}

// Long and rarely wanted content is drawn when it is first opened, or at once.
function lazily(details, draw, isOpen = false) {
  details.fillOnce = () => {
    if (details.childElementCount === 1) details.append(...[draw()].flat(Infinity).filter(Boolean));
  };
  details.addEventListener("toggle", () => details.open && details.fillOnce());
  if (isOpen) opened(details);
  return details;
}

// Opens what is drawn lazily at once: the event of a toggle comes too late for paper, and for an address.
function opened(details) {
  if (details.fillOnce) details.fillOnce();
  details.open = true;
}
