"use strict";
// Building elements. Data reaches the page as text nodes and plain attributes only, never as markup.

function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const SIGNS = { agree: "✓", disagree: "✗", error: "!", unsupported: "–", "known defect": "◆" };

function badge(outcome, text) {
  return el("span", { class: "outcome " + outcome.replace(" ", "-") },
    el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[outcome]), " ", text || outcome);
}

const whole = (number) => number.toLocaleString("en");
const many = (number, noun) => whole(number) + " " + noun + (number === 1 ? "" : "s");

// Shares arrive as numbers, as the strings inf and nan, or as null.
function share(value) {
  if (value === null || typeof value === "string") return value === null ? "" : value === "inf" ? "∞" : value;
  if (value === 0) return "0";
  if (value >= 1e4 || value < 1e-3) return value.toExponential(1);
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined)
    .map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function link(address) {
  if (!/^https?:\/\//.test(address || "")) return address || "";
  return el("a", { href: address, rel: "noreferrer" }, address);
}

function copyButton(block) {
  const button = el("button", { type: "button", class: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = "Copied";
    } catch {
      // Some browsers keep the clipboard from local files: select it, for the reader's own keys.
      getSelection().selectAllChildren(block);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
  return button;
}

function code(label, text, copied) {
  const block = el("pre", { tabindex: "0", "aria-label": label }, text);
  return el("div", { class: "code" }, el("div", { class: "code-head" }, el("span", {}, label), copied ? copyButton(block) : null), block);
}
