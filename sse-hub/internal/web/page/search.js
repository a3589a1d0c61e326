// Search in the contents, by the query-service's API, which the hub passes on: Enter
// in the box asks, Escape closes. What comes from it is only ever written as text.

import { element, notify, split } from "./app.js";

const box = element("filter");
const found = element("found");
let asked = new AbortController(); // the last question: a new one ends it

async function search(query) {
  asked.abort();
  asked = new AbortController();
  found.hidden = true;
  if (query === "") return;
  try {
    const parameters = new URLSearchParams({ query, page_size: 20 });
    const answer = await fetch(`/api/v1/search?${parameters}`, { signal: asked.signal });
    const body = await answer.json();
    if (answer.ok) show(body);
    else notify(`The search was not possible: ${body.message}.`);
  } catch (error) {
    if (error.name !== "AbortError") notify("The search was not possible: there is no answer.");
  }
}

function show({ results, nextPageToken }) {
  element("found-count").textContent = results.length === 0 ? "nothing" : `${nextPageToken ? "best " : ""}${results.length}`;
  found.querySelector("ol").replaceChildren(...results.map(item));
  found.hidden = false;
}

function item({ path, snippet, highlights, lines, observeTime }) {
  const row = element("result").content.cloneNode(true).firstElementChild;
  const { directory, name } = split(path);
  row.querySelector(".directory").textContent = directory;
  row.querySelector(".name").textContent = name;
  row.querySelector("time").textContent = observeTime ? new Date(observeTime).toLocaleDateString() : "";
  const parts = lines?.length ? lines : snippet ? [{ lineNumber: "", text: snippet, highlights }] : [];
  row.querySelector(".diff").replaceChildren(...parts.map(line));
  row.querySelector(".diff").hidden = parts.length === 0;
  return row;
}

function line({ lineNumber, text, highlights }) {
  const row = element("line").content.cloneNode(true).firstElementChild;
  row.querySelector(".number").textContent = lineNumber;
  row.querySelector("code").append(...marked(text, highlights));
  return row;
}

// marked returns a text with the ranges of it marked, which count bytes of UTF-8.
function marked(text, highlights) {
  const bytes = new TextEncoder().encode(text);
  const part = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
  const nodes = [];
  let at = 0;
  for (const { start, end } of highlights) {
    const mark = document.createElement("mark");
    mark.textContent = part(start, end);
    nodes.push(part(at, start), mark);
    at = end;
  }
  return [...nodes, part(at)];
}

box.addEventListener("keydown", ({ key, isComposing }) => {
  if (key === "Enter" && !isComposing) search(box.value.trim());
});
document.addEventListener("keydown", ({ key }) => key === "Escape" && search(""));
found.querySelector("button").addEventListener("click", () => search(""));
