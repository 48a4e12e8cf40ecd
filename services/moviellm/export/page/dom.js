"use strict";
/* Building blocks. Every text of a plot reaches the page through h(), as text and never as markup. */

function h(tag, options, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "chip") { node.style.setProperty("--chip", value[0]); node.style.setProperty("--on-chip", value[1]); }
    else if (name === "part") node.style.setProperty("--part", `${Math.round(Math.max(0, Math.min(1, value)) * 1000) / 10}%`);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(2)) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

const button = (text, onclick, options) => h("button", {type: "button", onclick, ...options}, text);
const byId = id => document.getElementById(id);
const plural = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const sum = numbers => numbers.reduce((total, number) => total + number, 0);
const figure = number => number === null || number === undefined ? "–" : number.toFixed(3);
const upper = text => text.charAt(0).toUpperCase() + text.slice(1);
const narrow = () => matchMedia("(max-width: 1020px)").matches;

function clock(seconds) {
  const whole = Math.floor(seconds), hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  return (hours ? `${hours}:${String(minutes).padStart(2, "0")}` : minutes) + ":" + String(whole % 60).padStart(2, "0");
}

function grouped(items, keyOf) {
  const map = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (map.has(key)) map.get(key).push(item); else map.set(key, [item]);
  }
  return map;
}

const CLOTHES = {
  red: "#c2453c", blue: "#3c6db3", green: "#4a8a56", yellow: "#d6ae3a", purple: "#7c54a6", orange: "#d67a35",
  pink: "#d8829e", white: "#f1ede4", black: "#2a292d", brown: "#7e593c", grey: "#8b8b8d", gray: "#8b8b8d",
};

function chipOf(color) {
  const word = String(color).toLowerCase();
  const known = CLOTHES[word] || (/^[a-z]+$/.test(word) && CSS.supports("color", word) ? word : "#8a8378");
  return [known, ["white", "yellow", "pink"].includes(word) ? "#2a2521" : "#fff"];
}

/* Rows of a label, a bar and a number; `rows` are [label, value]. */
function bars(rows, written = value => value.toLocaleString("en")) {
  const most = Math.max(...rows.map(([, value]) => value), 0) || 1;
  return h("dl", {class: "bars"}, rows.map(([label, value]) =>
    h("div", {}, h("dt", {class: "clip"}, label), h("dd", {}, h("i", {part: value / most, "aria-hidden": "true", hidden: !value}), h("span", {}, written(value))))));
}

/* A column for each number, as high as its share of the largest one. */
function columns(numbers, label, titleOf, onpick) {
  const most = Math.max(...numbers, 0) || 1;
  return h("div", {class: "columns", role: onpick ? "group" : "img", "aria-label": label}, numbers.map((number, index) =>
    h("i", {part: number / most, title: titleOf(number, index), onclick: onpick && (() => onpick(index)), class: onpick ? "pick" : null})));
}
