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

function section(id, title, ...content) {
  return el(
    "section",
    { id, "aria-labelledby": id + "-title" },
    el("h2", { id: id + "-title", tabindex: "-1" }, title),
    ...content,
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

// A table that may be wider than the page scrolls by itself, also by keyboard.
function wide(label, table) {
  return el("div", { class: "wide-table", tabindex: "0", role: "group", "aria-label": label }, table);
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
  const block = el("pre", { tabindex: "0", role: "group", "aria-label": label }, text);
  return el(
    "div",
    { class: "code" },
    el("div", { class: "code-head" }, el("span", {}, label), copied ? copyButton(block) : null),
    block,
  );
}

// Long and rarely wanted content is drawn when it is first opened.
function lazily(details, draw) {
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(...[draw()].flat().filter(Boolean));
  });
  return details;
}
