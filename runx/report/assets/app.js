// The page: its parts, and which of them are redrawn when something changes.

import { h, makeTip } from "./dom.js";
import { makeModel } from "./model.js";
import { makeStore, toHash } from "./store.js";
import { makeSelection } from "./selection.js";
import { makeTable, NARROW } from "./table.js";
import { makeCurves } from "./curves.js";
import { makeParallel } from "./parallel.js";
import { makeScatter } from "./scatter.js";
import { makeImportance } from "./importance.js";
import { makeHeatmap } from "./heatmap.js";
import { makeAblation } from "./ablation.js";
import { makeStepGraph } from "./stepgraph.js";
import { makeSearches } from "./searches.js";
import { makeCatalogue } from "./catalogue.js";
import { makePanel } from "./panel.js";
import { makeHeading, makeToolbar } from "./toolbar.js";
import { listen, makeFollower } from "./live.js";

function usualView(model) {
  const { lower } = model.metrics.get(model.objective) ?? {};
  const shownPhases = model.phases.filter((phase) => phase !== "test" || !model.phases.includes("val"));
  return {
    sort: model.objective ? `${lower ? "" : "-"}b:${model.objective}` : "name",
    filter: "",
    columns: null,
    hidden: [],
    metric: model.objective,
    phases: model.live ? [...new Set([...shownPhases, "train", "val"])] : shownPhases,
    smooth: 0,
    logx: false,
    logy: false,
    scales: {},
    x: "epoch",
    group: "",
    subgroups: [],
    open: [],
    colour: "",
    brushes: {},
    search: "",
    across: "",
    up: "",
    heatX: "",
    heatY: "",
    of: "",
    front: "",
    run: "",
    against: "",
    theme: "",
  };
}

function main() {
  const model = makeModel(JSON.parse(document.querySelector("#data")?.textContent ?? ""));
  const store = makeStore(usualView(model), location.hash);
  showTheme(store);
  const selection = makeSelection(model, store);
  const tip = makeTip();
  const heading = makeHeading(model, store);
  const toolbar = makeToolbar(model, store, selection);
  const catalogue = makeCatalogue(model, store, selection);
  const graph = makeStepGraph(model, store);
  const table = makeTable(model, store, selection);
  const curves = makeCurves(model, store, selection, tip);
  const [parallel, scatter, importance, heatmap] = [makeParallel, makeScatter, makeImportance, makeHeatmap].map((make) => make(model, store, selection, tip));
  const ablation = makeAblation(model, selection);
  const searches = makeSearches(model, store, tip);
  const small = [scatter, importance, heatmap];
  const figures = [curves, parallel, ...small, ablation, searches];
  // The parts that a choice concerns; one that is not listed concerns them all.
  const concerned = {
    sort: [table],
    columns: [table],
    ...Object.fromEntries(["smooth", "logx", "logy", "scales", "x", "phases"].map((name) => [name, [curves]])),
    across: [scatter],
    up: [scatter],
    heatX: [heatmap],
    heatY: [heatmap],
    open: [table],
    of: [searches],
    front: [searches],
    search: [catalogue],
    run: [],
    against: [],
    hover: [],
  };
  const panel = makePanel(model, store, selection, makeFollower(model), tip);
  const grid = h("section", { class: "grid figures", "aria-label": "What matters" }, ...small.map((part) => part.element));
  const page = h("main", {}, catalogue.element, toolbar.element, graph.element, table.element, searches.element, curves.element, parallel.element, ablation.element, grid);
  document.body.append(heading.element, page, panel.element);
  store.listen(update);
  addEventListener("hashchange", () => readHash(store));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => store.touch("theme"));
  matchMedia(NARROW).addEventListener("change", () => store.touch("columns"));
  addEventListener("beforeprint", () => printing(true));
  addEventListener("afterprint", () => printing(false));
  update(new Set(["data"]));
  if (model.live) listen(model, heading.live, () => store.touch("data"));

  function update(changed) {
    if (changed.has("theme")) showTheme(store);
    const isOnlyHover = [...changed].every((what) => what === "hover");
    if (!isOnlyHover) {
      writeHash(store);
      draw(changed);
      panel.refresh(changed);
      for (const row of document.querySelectorAll("tr.is-open")) row.classList.remove("is-open");
      document.querySelector(`tr[data-run="${CSS.escape(store.view.run)}"]`)?.classList.add("is-open");
    }
    if (changed.has("hover")) [table, ...figures].forEach((part) => part.relight());
    document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn ?? 0) + 1);
  }

  function draw(changed) {
    const isAll = [...changed].some((what) => !concerned[what]);
    if (isAll) selection.refresh();
    const parts = isAll ? [heading, catalogue, graph, table, ...figures] : new Set([...changed].flatMap((what) => concerned[what]));
    toolbar.refresh();
    for (const part of parts) part.refresh();
  }

  function printing(isPrinted) {
    document.documentElement.dataset.theme = isPrinted ? "light" : "";
    if (!isPrinted) showTheme(store);
    table.more(isPrinted ? Infinity : 120);
    curves.printing();
    draw(new Set(["theme"]));
  }
}

function showTheme(store) {
  document.documentElement.dataset.theme = store.view.theme;
}

let written = "";

/** Write the view into the address, without a new entry in the browser's history. */
function writeHash(store) {
  written = toHash(store.view, store.usual);
  const hash = written ? `#${written}` : "";
  if (hash !== location.hash) history.replaceState(null, "", `${location.pathname}${location.search}${hash}`);
}

/** Show the view of an address that was typed or pasted. */
function readHash(store) {
  if (location.hash.replace(/^#/, "") === written) return;
  store.set(makeStore(store.usual, location.hash).view);
}

main();
