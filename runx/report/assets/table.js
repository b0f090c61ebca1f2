// The table of runs: a heading sorts, a tick hides a run, a name opens its panel.

import { h, saveCsv, swatch } from "./dom.js";
import { groupColumns, groupFields, groupHeadings, groupText, groupValue, sortedGroups } from "./grouping.js";
import { compare, numeric, progress, usualColumns, valueOf } from "./model.js";
import { duration, isNumber, share, shortNumber, shown } from "./numbers.js";
import { stateMark } from "./states.js";

const AT_FIRST = 120;

export const NARROW = "(max-width: 640px)";

/** Return a run's name, with the date at its end set apart. */
export function runName(run) {
  const [, name, when] = run.key.match(/^(.*?)(_\d{4}\.\d\d\.\d\d_\d\d\.\d\d)?$/s);
  return [name, when ? h("span", { class: "when" }, when) : null];
}

/** Return a mark for a run whose code isn't that of most runs, with the files as its title. */
function codeMark(run) {
  if (!run.code_differs) return null;
  const title = `its code is not that of most runs: ${run.code_differs.join(", ") || "the files are gone"}`;
  return h("span", { class: "badge other-code", title }, "other code");
}

function cellText(value, column) {
  if (column.kind === "epoch_time" || column.kind === "elapsed") return duration(value);
  if (column.kind === "gpu_idle") return share(value);
  if (column.kind === "gpu_hours" && isNumber(value)) return shortNumber(value, 3);
  return shown(value);
}

export function makeTable(model, store, selection) {
  const head = h("tr");
  const body = h("tbody");
  const table = h("table", { class: "runs" }, h("thead", {}, head), body);
  const frame = h("div", { class: "frame", tabindex: "0", role: "region", "aria-label": "Runs" }, table);
  const count = h("span", { class: "count", role: "status" });
  const chooser = h("details", { class: "chooser" }, h("summary", {}, "Columns"));
  const csv = h("button", { type: "button", class: "quiet", onclick: saveTable }, "CSV");
  const showAll = h("button", { type: "button", class: "quiet", onclick: () => store.set({ hidden: [] }) }, "Show all");
  const bar = h("div", { class: "card-side" }, count, showAll, chooser, csv);
  const element = h("section", { class: "card table-card" }, h("header", { class: "card-head" }, h("h2", {}, "Runs"), bar), frame);
  const rows = new Map();
  let limit = AT_FIRST;
  frame.addEventListener("scroll", () => {
    const isAtEnd = frame.scrollTop + frame.clientHeight > frame.scrollHeight - 400;
    if (isAtEnd && limit < selection.passing.length) more(limit + AT_FIRST);
  });
  let highlighted = new Set();
  body.addEventListener("pointerleave", () => store.hover([]));
  return { element, refresh, relight, more };

  /** Show `count` rows: a browser takes long to lay out a thousand. */
  function more(count) {
    limit = count;
    refresh();
  }

  function columns() {
    const ids = new Set(store.view.columns ?? usualColumns(model));
    const chosen = selection.columns.filter((column) => ids.has(column.id) || column.id === "name");
    return matchMedia(NARROW).matches ? metricsFirst(chosen) : chosen;
  }

  /** Return columns as a narrow window has room for: the run, what it is ranked by, other metrics. */
  function metricsFirst(chosen) {
    const rank = (column) => {
      if (column.id === "name") return 0;
      if (isRated(column)) return column.name === selection.metric ? 1 : 2;
      return column.id === "state" ? 3 : 4;
    };
    return [...chosen].sort((left, right) => rank(left) - rank(right));
  }

  function sortColumn() {
    return selection.byId.get(store.view.sort.replace(/^-/, "")) ?? null;
  }

  function isDown() {
    return store.view.sort.startsWith("-");
  }

  function sorted(runs) {
    const column = sortColumn();
    if (!column) return [...runs];
    const key = (run) => {
      const value = valueOf(run, column);
      return isRated(column) && value !== undefined && !Number.isNaN(numeric(value)) ? numeric(value) : value;
    };
    return [...runs].sort((...pair) => {
      const keys = pair.map(key);
      const order = compare(...keys);
      const isMissing = keys.some((value) => value === undefined || value === null || value === "nan");
      return isDown() && !isMissing ? -order : order;
    });
  }

  /** Return the groups in their order: all their runs, and those that count, which aren't hidden. */
  function groups() {
    const all = [...(selection.passingGroups ?? [])].map(([label, runs], nth) => {
      return { label, nth, runs, counting: runs.filter((run) => !selection.isHidden(run)) };
    });
    return sortedGroups(all, sortColumn(), isDown());
  }

  function refresh() {
    const made = selection.passingGroups ? groups() : null;
    const shownColumns = made ? groupColumns(columns(), made) : columns();
    head.replaceChildren(h("th", { class: "tick" }, h("span", { class: "unseen" }, "shown")), ...shownColumns.map(heading));
    const focused = document.activeElement?.closest("tr.group")?.getAttribute("data-group") ?? undefined;
    body.replaceChildren(...(made ? groupRows(made, shownColumns) : runRows(sorted(selection.passing).slice(0, limit), shownColumns)));
    if (focused !== undefined) body.querySelector(`[data-group="${CSS.escape(focused)}"] .name`)?.focus();
    const hidden = selection.passing.length - selection.drawn.length;
    const [kept, total] = [selection.passing.length, model.runs.length];
    const of = made ? ` in ${made.length} group${made.length === 1 ? "" : "s"}` : "";
    count.textContent = `${kept === total ? total : `${kept} of ${total}`} runs${of}${hidden ? `, ${hidden} hidden` : ""}`;
    showAll.hidden = !store.view.hidden.length;
    choose(columns());
    highlighted = new Set();
    relight();
  }

  function runRows(runs, shownColumns) {
    const best = bestValues(shownColumns, selection.drawn, valueOf);
    for (const run of runs) fillRow(run, shownColumns, best);
    return runs.map((run) => rows.get(run));
  }

  function groupRows(made, shownColumns) {
    const expected = Math.max(...made.map(({ runs }) => runs.length));
    const best = bestValues(shownColumns, made, groupValue);
    return made.slice(0, limit).flatMap((group) => {
      const row = groupRow(group, shownColumns, best, expected);
      return store.view.open.includes(group.label) ? [row, ...runRows(sorted(group.runs), shownColumns)] : [row];
    });
  }

  function groupRow(group, shownColumns, best, expected) {
    const box = h("input", { type: "checkbox", "aria-label": `show all of ${group.label}`, onchange: () => hide(group.runs, !box.checked) });
    box.checked = group.counting.length > 0;
    box.indeterminate = group.counting.length > 0 && group.counting.length < group.runs.length;
    const cells = shownColumns.map((column) => {
      if (column.id === "name") return groupCell(group);
      const value = groupValue(group, column);
      const isBest = best.has(column) && value === best.get(column);
      const isTime = column.kind === "elapsed" || column.kind === "epoch_time";
      return h("td", { class: `${typeof value === "number" ? "number" : ""}${isBest ? " is-best" : ""}` }, isTime ? duration(value) : groupText(group, column, expected));
    });
    return h("tr", { class: "group", "data-group": group.label, onpointerenter: () => store.hover(group.counting) }, h("td", { class: "tick" }, box), ...cells);
  }

  function groupCell(group) {
    const { open: opened } = store.view;
    const isOpen = opened.includes(group.label);
    const flipped = () => {
      store.set({ open: isOpen ? opened.filter((label) => label !== group.label) : [...opened, group.label] });
    };
    const open = h("button", { type: "button", class: "name", "aria-expanded": String(isOpen), title: group.label, onclick: flipped }, swatch(selection.groupColour(group.label)), group.label || "none", h("span", { class: "when" }, ` ${group.runs.length} run${group.runs.length === 1 ? "" : "s"}`));
    return h("th", { scope: "row" }, open);
  }

  function heading(column) {
    const { sort } = store.view;
    const isSorted = sort.replace(/^-/, "") === column.id;
    const order = isSorted ? (sort.startsWith("-") ? "descending" : "ascending") : "none";
    const button = h("button", { type: "button", "data-column": column.id, title: column.kind === "hparam" && model.help[column.name], onclick: () => sortBy(column) }, column.heading);
    const kind = isNumeric(column) ? "number" : "";
    return h("th", { "aria-sort": order, scope: "col", class: `${kind} of-${column.kind}` }, button);
  }

  /** Sort by a column: a metric's best values first; once more, in the other order. */
  function sortBy(column) {
    const bestFirst = isRated(column) && !column.lower ? `-${column.id}` : column.id;
    const otherWay = bestFirst.startsWith("-") ? column.id : `-${column.id}`;
    store.set({ sort: store.view.sort === bestFirst ? otherWay : bestFirst });
    head.querySelector(`[data-column="${CSS.escape(column.id)}"]`)?.focus();
  }

  function isNumeric(column) {
    if (isRated(column)) return true;
    const values = model.runs.map((run) => valueOf(run, column)).filter((value) => value !== undefined);
    return values.length > 0 && values.every((value) => typeof value === "number");
  }

  function isRated({ kind }) {
    return kind === "metric" || kind === "best";
  }

  function bestValues(shownColumns, of, value) {
    const bests = new Map();
    for (const column of shownColumns.filter(isRated)) {
      const values = of.map((each) => numeric(value(each, column))).filter(isNumber);
      const differ = values.some((value) => value !== values[0]);
      if (differ) bests.set(column, values.reduce(column.lower ? smaller : larger));
    }
    return bests;
  }

  function fillRow(run, shownColumns, best) {
    const row = rows.get(run) ?? makeRow(run);
    const tick = row.firstChild;
    tick.firstChild.checked = !selection.isHidden(run);
    row.classList.toggle("is-hidden", selection.isHidden(run));
    row.classList.toggle("is-open", store.view.run === run.key);
    row.replaceChildren(tick, ...shownColumns.map((column) => cell(run, column, best.get(column))));
  }

  function makeRow(run) {
    const box = h("input", { type: "checkbox", "aria-label": `show ${run.key}`, onchange: () => hide([run], !box.checked) });
    const row = h("tr", { "data-run": run.key, onpointerenter: () => store.hover([run]) }, h("td", { class: "tick" }, box));
    row.addEventListener("focusin", () => store.hover([run]));
    rows.set(run, row);
    return row;
  }

  function hide(runs, isHidden) {
    const keys = new Set(runs.map(({ key }) => key));
    const others = store.view.hidden.filter((key) => !keys.has(key));
    store.set({ hidden: isHidden ? [...others, ...keys] : others });
  }

  function cell(run, column, best) {
    const value = valueOf(run, column);
    if (column.id === "name") return nameCell(run);
    if (column.kind === "step") return h("td", {}, run.steps?.[column.name] ? stateMark(run.steps[column.name]) : null);
    if (column.id === "state") return h("td", {}, stateMark(run), run.state === "running" ? howFar(run) : null);
    const isRight = typeof value === "number" || isRated(column);
    const isBest = best !== undefined && numeric(value) === best;
    const mark = isBest ? h("span", { class: "unseen" }, " best") : null;
    return h("td", { title: isLong(value) ? shown(value) : null, class: `${isRight ? "number" : ""}${isBest ? " is-best" : ""}` }, cellText(value, column), mark);
  }

  function howFar(run) {
    const share = progress(model, run);
    if (share === null) return null;
    const bar = h("span", { class: "how-far", role: "img", "aria-label": `${Math.round(share * 100)}%` }, h("i"));
    bar.firstChild.style.width = `${share * 100}%`;
    return bar;
  }

  function nameCell(run) {
    const open = h("button", { type: "button", class: "name", title: run.key, onclick: () => store.set({ run: run.key }) }, swatch(selection.colourOf(run)), ...runName(run));
    return h("th", { scope: "row" }, open, codeMark(run));
  }

  function choose(shownColumns) {
    const ids = new Set(shownColumns.map((column) => column.id));
    const isOpen = chooser.open;
    const boxes = selection.columns.filter((column) => column.id !== "name").map((column) => {
      const box = h("input", { type: "checkbox", onchange: () => flip(column.id, box.checked) });
      box.checked = ids.has(column.id);
      return h("label", {}, box, column.kind === "metric" ? `${column.heading} last` : column.heading);
    });
    const usual = h("button", { type: "button", class: "quiet", onclick: () => store.set({ columns: null }) }, "As usual");
    chooser.replaceChildren(chooser.firstChild, h("div", { class: "choices" }, ...boxes, usual));
    chooser.open = isOpen;
  }

  function flip(id, isShown) {
    const ids = columns().map((column) => column.id).filter((shownId) => shownId !== id);
    store.set({ columns: isShown ? [...ids, id] : ids });
  }

  function relight() {
    for (const run of highlighted) if (!store.hovered.has(run)) rows.get(run)?.classList.remove("is-lit");
    for (const run of store.hovered) rows.get(run)?.classList.add("is-lit");
    highlighted = store.hovered;
  }

  function saveTable() {
    const made = selection.passingGroups ? groups() : null;
    const shownColumns = made ? groupColumns(columns(), made) : columns();
    const lines = made
      ? [shownColumns.flatMap(groupHeadings), ...made.map((group) => shownColumns.flatMap((column) => groupFields(group, column)))]
      : [shownColumns.map((column) => column.heading), ...sorted(selection.passing).map((run) => shownColumns.map((column) => valueOf(run, column)))];
    saveCsv(`${model.experiment}.csv`, lines);
  }
}

function isLong(value) {
  return typeof value === "string" && value.length > 40;
}

function smaller(left, right) {
  return Math.min(left, right);
}

function larger(left, right) {
  return Math.max(left, right);
}
