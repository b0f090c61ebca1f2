// Which runs are shown, which of them is the best, and the colour of each.

import { columnsOf, compare, numeric, valueOf } from "./model.js";
import { matching } from "./expressions.js";
import { ExpressionError } from "./tokens.js";
import { distinct, DISTINCT_COUNT, sequential, themeOf } from "./colours.js";
import { compareTexts, isNumber, scaleOf, shown } from "./numbers.js";

/** Return the columns by the names that a filter can use; of two with one name, that of `sumx --where`. */
function namesOf(columns) {
  const of = (...kinds) => columns.filter(({ kind }) => kinds.includes(kind));
  const names = (prefix, suffix, chosen) => chosen.map((column) => [`${prefix}${column.name}${suffix}`, column]);
  return new Map([
    ...of("name").map((column) => ["name", column]),
    ...names("hparams.", "", of("hparam")),
    ...names("metrics.", "", of("metric")),
    ...names("", ":best", of("best")),
    ...names("", "", of("hparam")),
    ...names("", "", of("metric")),
    ...names("", "", of("tag", "elapsed", "experiment", "state", "epoch", "epoch_time")),
    ...of("name").map((column) => ["run", column]),
  ]);
}

function plainValue(run, column) {
  const value = valueOf(run, column);
  return column.kind === "metric" || column.kind === "best" ? orNumber(value) : value;
}

function orNumber(value) {
  const number = numeric(value);
  return Number.isNaN(number) && value !== "nan" ? value : number;
}

function passesBrush(run, column, brush) {
  const value = plainValue(run, column);
  if (Array.isArray(brush)) return isNumber(value) && value >= brush[0] && value <= brush[1];
  return brush.names.includes(shown(value ?? null));
}

/** Return some runs in the groups that Python has made: each label with its runs, in their order. */
export function grouped(model, ids, runs) {
  const { keys, choices } = model.groupings;
  const nth = new Map(keys.map((key, at) => [key, at]));
  const chosen = ids.map((id) => choices.find((group) => group.id === id)).filter(Boolean);
  if (!chosen.length) return null;
  const groups = new Map();
  for (const run of runs.filter(({ key }) => nth.has(key))) {
    const places = chosen.map(({ of }) => of[nth.get(run.key)]);
    const name = places.join(" ");
    if (!groups.has(name)) groups.set(name, { places, runs: [] });
    groups.get(name).runs.push(run);
  }
  const inOrder = [...groups.values()].sort(({ places: left }, { places: right }) => {
    const at = left.findIndex((place, side) => place !== right[side]);
    return at < 0 ? 0 : left[at] - right[at];
  });
  const labelOf = ({ labels, of, by }, at) => {
    return by ? by.map((name) => `${name}=${labelOf(choices.find(({ id: own }) => own === `h:${name}`), at)}`).join(", ") : labels[of[at]];
  };
  const label = (at) => (chosen.length > 1 ? chosen.map((choice) => `${choice.heading}=${labelOf(choice, at)}`).join(", ") : labelOf(chosen[0], at));
  return new Map(inOrder.map(({ runs: members }) => [label(nth.get(members[0].key)), members]));
}

export function makeSelection(model, store) {
  const selection = { error: "", refresh };
  refresh();
  return selection;

  function refresh() {
    const { view } = store;
    selection.theme = themeOf(document.documentElement.dataset.theme);
    selection.columns = columnsOf(model);
    selection.byId = new Map(selection.columns.map((column) => [column.id, column]));
    selection.metric = model.metrics.has(view.metric) ? view.metric : (model.metrics.keys().next().value ?? "");
    selection.objective = selection.byId.get(`b:${selection.metric}`);
    const hidden = new Set(view.hidden);
    selection.filtered = filtered(view.filter);
    selection.passing = selection.filtered.filter(brushed);
    selection.drawn = selection.passing.filter((run) => !hidden.has(run.key));
    selection.isHidden = (run) => hidden.has(run.key);
    selection.best = bestOf(model.runs);
    selection.importances = model.importances[selection.metric] ?? [];
    selection.strongest = selection.importances.find(({ explained }) => explained > 0)?.name ?? model.varying[0];
    colour(view);
  }

  function filtered(text) {
    selection.error = "";
    if (!text.trim()) return model.runs;
    const columns = namesOf(selection.columns);
    try {
      // sumx reads acc@10 as acc:10, too.
      return matching(text.replace(/(?<=\w)@(?=\d)/g, ":"), columns, model.runs, plainValue);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      selection.error = error.message;
      return model.runs;
    }
  }

  function brushed(run) {
    return Object.entries(store.view.brushes).every(([id, brush]) => {
      const column = selection.byId.get(id);
      return !column || passesBrush(run, column, brush);
    });
  }

  function bestOf(runs) {
    if (!selection.objective) return null;
    const { lower } = selection.objective;
    const rated = runs.filter((run) => isNumber(numeric(valueOf(run, selection.objective))));
    const sorted = rated.sort((left, right) => {
      const order = compare(numeric(valueOf(left, selection.objective)), numeric(valueOf(right, selection.objective)));
      return lower ? order : -order;
    });
    return sorted[0] ?? null;
  }

  /** Set the colours: of groups, of a column's values, or one for each run. */
  function colour(view) {
    const groupedBy = [view.group, ...view.subgroups];
    selection.groups = view.group ? grouped(model, groupedBy, selection.drawn) : null;
    selection.passingGroups = view.group ? grouped(model, groupedBy, selection.passing) : null;
    if (selection.groups) {
      const labels = new Map([...selection.groups].flatMap(([label, runs]) => runs.map((run) => [run, label])));
      byNames([...selection.groups.keys()], (run) => labels.get(run));
      return;
    }
    const id = view.colour || usualColour();
    const column = selection.byId.get(id);
    selection.coloured = column ? column.id : "run";
    if (!column) {
      selection.legend = [];
      selection.colourOf = (run) => distinct(selection.theme, run.index);
      return;
    }
    byColumn(column);
  }

  function usualColour() {
    if (model.runs.length <= DISTINCT_COUNT) return "run";
    return selection.strongest ? `h:${selection.strongest}` : "run";
  }

  function byColumn(column) {
    const values = model.runs.map((run) => plainValue(run, column));
    const scale = scaleOf(values);
    const texts = [...new Set(values.filter((value) => value !== undefined).map(shown))].sort(compareTexts);
    if (scale.kind === "name" || (column.kind === "hparam" && texts.length <= 7)) {
      byNames(texts, (run) => shown(valueOf(run, column)), scale.kind === "number");
      return;
    }
    selection.colourOf = (run) => {
      const share = scale.place(plainValue(run, column));
      return share === null ? neutral() : sequential(selection.theme, share);
    };
    selection.legend = [0, 0.25, 0.5, 0.75, 1].map((share) => {
      return { text: shown(Number(scale.unplace(share).toPrecision(3))), colour: sequential(selection.theme, share) };
    });
  }

  function byNames(names, nameOf, isOrdered = names.every((name) => isNumber(Number(name)))) {
    const colours = new Map(
      names.map((name, nth) => {
        const share = names.length > 1 ? nth / (names.length - 1) : 0.5;
        const inOrder = isOrdered || names.length > DISTINCT_COUNT;
        return [name, inOrder ? sequential(selection.theme, share) : distinct(selection.theme, nth)];
      }),
    );
    selection.colourOf = (run) => colours.get(nameOf(run)) ?? neutral();
    selection.legend = names.slice(0, 12).map((name) => ({ text: name, colour: colours.get(name) }));
    selection.groupColour = (name) => colours.get(name) ?? neutral();
  }

  function neutral() {
    return selection.theme === "dark" ? "#7b8794" : "#9aa3ad";
  }
}
