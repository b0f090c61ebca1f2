// The experiments of a page of several: how each stands, its launches, notes and tags, and a search.

import { h } from "./dom.js";
import { numeric, valueOf } from "./model.js";
import { dateTime, isNumber, shown } from "./numbers.js";
import { counted, countsOf, progressBar } from "./states.js";

const COLUMN = "experiment";

export function makeCatalogue(model, store, selection) {
  const box = h("input", { type: "search", placeholder: "name, note, tag", spellcheck: "false", autocomplete: "off", oninput: () => store.set({ search: box.value }) });
  const search = h("label", { class: "field" }, h("span", {}, "search"), box);
  const count = h("span", { class: "note", role: "status" });
  const head = h("tr");
  const body = h("tbody");
  const frame = h("div", { class: "frame", tabindex: "0", role: "region", "aria-label": "Experiments" }, h("table", { class: "experiments" }, h("thead", {}, head), body));
  const element = h("section", { class: "card" }, h("header", { class: "card-head" }, h("h2", {}, "Experiments"), h("div", { class: "card-side" }, count, search)), frame);
  return { element, refresh, relight() {} };

  function refresh() {
    element.hidden = model.experiments.length < 2;
    if (element.hidden) return;
    if (document.activeElement !== box) box.value = store.view.search;
    const words = store.view.search.toLowerCase().split(/\s+/).filter(Boolean);
    const runsOf = new Map(model.experiments.map(({ path }) => [path, []]));
    for (const run of model.runs) runsOf.get(run.logdir.slice(0, run.logdir.lastIndexOf("/")))?.push(run);
    const all = model.experiments.map((each) => summed(each, runsOf.get(each.path) ?? [])).sort((left, right) => right.active - left.active);
    const found = all.filter(({ text }) => words.every((word) => text.includes(word)));
    count.textContent = found.length === all.length ? String(all.length) : `${found.length} of ${all.length}`;
    const names = ["experiment", "runs", selection.objective?.heading, "active", "tags", "launches"];
    head.replaceChildren(...names.map((name) => h("th", { scope: "col" }, name ?? "")));
    const opened = new Set([...body.querySelectorAll("tr:has(details[open])")].map((row) => row.dataset.experiment));
    body.replaceChildren(...found.map((each) => row(each, opened.has(each.path))));
  }

  function summed(experiment, runs) {
    const tags = [...new Set([...experiment.labels, ...runs.map(({ tag }) => tag)].filter(Boolean))];
    const counts = countsOf(runs);
    const values = selection.objective ? runs.map((run) => numeric(valueOf(run, selection.objective))).filter(isNumber) : [];
    const best = values.length ? values.reduce((left, right) => (selection.objective.lower ? Math.min(left, right) : Math.max(left, right))) : undefined;
    const active = runs.reduce((latest, { started, ended }) => Math.max(latest, ended ?? started ?? 0), 0);
    const said = experiment.launches.flatMap(({ when, title, note }) => [when, title, note]);
    return { ...experiment, runs, tags, counts, best, active, text: [experiment.name, ...tags, ...said].join(" ").toLowerCase() };
  }

  function row({ name, path, launches, runs, tags, counts, best, active }, isOpen) {
    const chosen = store.view.brushes[COLUMN]?.names?.includes(name) ?? false;
    const { [COLUMN]: _, ...others } = store.view.brushes;
    const pick = () => store.set({ brushes: chosen ? others : { ...others, [COLUMN]: { names: [name] } } });
    const open = h("button", { type: "button", class: "name", "aria-pressed": String(chosen), title: chosen ? "Show the runs of all" : `Show its runs alone: ${path}`, onclick: pick }, name);
    const states = h("div", { class: "standing" }, h("div", { class: "states" }, ...counted(counts)), progressBar(counts));
    const when = active ? dateTime(new Date(active * 1000)) : "";
    const cells = [states, shown(best), when, tags.join(", "), history(launches, isOpen)];
    return h("tr", { "data-experiment": path, class: chosen ? "is-open" : "", onpointerenter: () => store.hover(runs.slice(0, 200)), onpointerleave: () => store.hover([]) }, h("th", { scope: "row" }, open), ...cells.map((cell) => h("td", {}, cell)));
  }
}

function line({ when, title, note }) {
  const time = new Date(when);
  const text = Number.isNaN(time.getTime()) ? when : dateTime(time);
  return h("span", { class: "launch" }, h("span", { class: "note" }, text), ` ${[title, note].filter(Boolean).join(": ")}`);
}

/** Return the last launch of an experiment that says something, and on demand all, the last first. */
function history(launches, isOpen) {
  const inOrder = [...launches].reverse();
  const first = inOrder.find(({ title, note }) => title || note) ?? inOrder[0];
  if (!first) return "";
  if (inOrder.length === 1) return line(first);
  return h("details", { open: isOpen }, h("summary", {}, line(first), h("span", { class: "note" }, `, ${inOrder.length} launches`)), ...inOrder.map(line));
}
