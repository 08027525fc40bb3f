"use strict";
// What pages can do besides: search, copy, and say how old they are. Everything is there without it.

/** A moment's age, in the words of the pages. */
function ageOf(milliseconds) {
  const hours = Math.max(0, Math.floor(milliseconds / 3600000));
  if (hours < 1) return "less than an hour ago";
  if (hours < 48) return hours === 1 ? "1 hour ago" : `${hours} hours ago`;
  const days = Math.floor(hours / 24);
  return days < 60 ? `${days} days ago` : `${Math.floor(days / 30)} months ago`;
}

function tellAges() {
  for (const element of document.querySelectorAll("[data-age]"))
    element.textContent = ageOf(Date.now() - Date.parse(element.dataset.age));
  for (const element of document.querySelectorAll("[data-stale]"))
    element.hidden = Date.now() - Date.parse(element.dataset.stale) < 12 * 3600000;
}

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Where a page has no clipboard, as on plain HTTP, a selection can still be copied.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("not copied");
}

function addCopyButtons() {
  const said = document.createElement("p");
  said.className = "skip";
  said.setAttribute("role", "status");
  document.body.append(said);
  for (const element of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    const name = element.dataset.name || "digest " + element.textContent;
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${name}`);
    button.addEventListener("click", () => {
      const tell = (word) => {
        button.textContent = word;
        said.textContent = `${word}: ${name}`;
        setTimeout(() => (button.textContent = "Copy"), 2000);
      };
      copyText(element.dataset.copy).then(
        () => tell("Copied"),
        () => tell("Not copied"),
      );
    });
    if (element.tagName !== "PRE") {
      element.after(button);
      continue;
    }
    const frame = document.createElement("div");
    frame.className = "copyable";
    element.replaceWith(frame);
    frame.append(element, button);
  }
}

function addSearch(place) {
  const rows = [...document.getElementById(place.dataset.searchFor).children];
  const texts = rows.map((row) => (row.dataset.search || row.textContent).toLowerCase());
  const none = document.getElementById(`${place.dataset.searchFor}-none`);
  const input = document.createElement("input");
  const label = document.createElement("label");
  const count = document.createElement("output");
  input.type = "search";
  input.id = `search-${place.dataset.searchFor}`;
  input.autocomplete = "off";
  input.spellcheck = false;
  label.htmlFor = input.id;
  label.textContent = `${place.dataset.label} (press / to begin)`;
  count.htmlFor = input.id;
  place.append(label, input, count);
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, position) => {
      row.hidden = !words.every((word) => texts[position].includes(word));
      if (!row.hidden) shown += 1;
    });
    none.hidden = shown > 0;
    count.textContent = words.length === 0 ? "" : `${shown} of ${rows.length}`;
  };
  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    input.value = "";
    filter();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target === input) return;
    event.preventDefault();
    input.focus();
  });
}

tellAges();
addCopyButtons();
document.querySelectorAll("[data-search-for]").forEach(addSearch);
