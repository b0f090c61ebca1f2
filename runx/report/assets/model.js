// The model: runs, their curves as typed arrays that can grow, and the columns of the table.

/** Return the numbers of base64 of little-endian 32-bit floats. */
export function unpacked(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  return new Float32Array(bytes.buffer);
}

/** Return a value as a number: JSON has "nan" and "inf" as text; other text is NaN. */
export function numeric(value) {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (value === "nan") return NaN;
  if (value === "inf") return Infinity;
  if (value === "-inf") return -Infinity;
  return NaN;
}

/** Return what is measured as a number, as tables count it: undefined for text and what is missing. */
export function measuredNumber(value) {
  const number = numeric(value);
  return Number.isNaN(number) && value !== "nan" && typeof value !== "number" ? undefined : number;
}

function evenly([first, step, count]) {
  const values = new Float64Array(count);
  for (let nth = 0; nth < count; nth += 1) values[nth] = first + step * nth;
  return values;
}

function makeCourse(raw) {
  const x = Array.isArray(raw.x) ? evenly(raw.x) : Float64Array.from(unpacked(raw.x));
  const metrics = new Map(Object.entries(raw.m).map(([name, text]) => [name, unpacked(text)]));
  return { length: x.length, x, t: unpacked(raw.t), metrics };
}

export function makeRun(raw, index) {
  const courses = new Map();
  for (const [phase, course] of Object.entries(raw.courses)) courses.set(phase, makeCourse(course));
  return {
    ...raw,
    index,
    courses,
    hparams: new Map(Object.entries(raw.hparams)),
    metrics: new Map(Object.entries(raw.metrics)),
    best: new Map(Object.entries(raw.best)),
  };
}

export function makeModel(raw) {
  const metrics = new Map(raw.metrics.map((metric) => [metric.name, metric]));
  return { ...raw, metrics, runs: raw.runs.map(makeRun) };
}

function grown(array, length) {
  if (array.length >= length) return array;
  const larger = new array.constructor(Math.max(64, length * 2)).fill(NaN);
  larger.set(array);
  return larger;
}

/** Return the first place in the first `length` items of a sorted array that is not below a value. */
export function firstNotBelow(array, length, value) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (array[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function inserted(array, length, at) {
  const room = grown(array, length + 1);
  room.copyWithin(at + 1, at, length);
  room[at] = NaN;
  return room;
}

/** Add a point to a course; a point of the same epoch is replaced. */
export function addPoint(run, phase, epoch, seconds, values) {
  if (!run.courses.has(phase)) {
    const empty = { length: 0, x: new Float64Array(0), t: new Float32Array(0), metrics: new Map() };
    run.courses.set(phase, empty);
  }
  const course = run.courses.get(phase);
  const at = firstNotBelow(course.x, course.length, epoch);
  for (const name of Object.keys(values)) {
    if (!course.metrics.has(name)) {
      course.metrics.set(name, new Float32Array(course.x.length).fill(NaN));
    }
  }
  if (at === course.length || course.x[at] !== epoch) {
    course.x = inserted(course.x, course.length, at);
    course.t = inserted(course.t, course.length, at);
    for (const [name, array] of course.metrics) {
      course.metrics.set(name, inserted(array, course.length, at));
    }
    course.length += 1;
  }
  course.x[at] = epoch;
  course.t[at] = seconds;
  for (const [name, value] of Object.entries(values)) {
    course.metrics.get(name)[at] = numeric(value);
  }
}

/** Update a run's last values by a validation point that was just added. */
export function noteLast(run, epoch, values) {
  run.epoch = epoch;
  for (const [name, value] of Object.entries(values)) run.metrics.set(name, value);
}

/** Update the time that a run has taken by a point that was just added. */
export function noteTime(run, phase, seconds, validates) {
  if (!Number.isFinite(seconds)) return;
  run.elapsed = Math.max(run.elapsed ?? 0, seconds);
  const course = run.courses.get(phase);
  if (validates) run.epoch_time = seconds / course.length;
}

const LENGTHS = ["epochs", "max_epochs", "num_epochs", "n_epochs", "max_epoch"];

/** Return a guess of a run's progress, from 0 to 1: by its hyperparameters, else by other runs. */
export function progress(model, run) {
  const planned = LENGTHS.map((name) => run.hparams.get(name)).find((value) => value > 0);
  const ends = model.runs.filter(({ state }) => state === "done").map(({ epoch }) => epoch + 1);
  const total = planned ?? Math.max(...ends.filter(Number.isFinite), 0);
  return total && Number.isFinite(run.epoch) ? Math.min((run.epoch + 1) / total, 1) : null;
}

/** Add the metrics that the model doesn't have yet. */
export function noteMetrics(model, metrics) {
  for (const metric of metrics) {
    if (!model.metrics.has(metric.name)) model.metrics.set(metric.name, metric);
  }
}

const LOWER_IS_BETTER = { epoch_time: true, elapsed: true };

const OWN = new Set(["run", "state", "epoch", "epoch_time", "experiment", "dir"]);

/** Return all columns that the table can show, each with id, heading, kind and name. */
export function columnsOf(model) {
  const several = new Set(model.runs.map((run) => run.experiment)).size > 1;
  const tagged = model.runs.some((run) => run.tag);
  const fixed = (id, heading) => ({ id, heading, kind: id, name: id });
  const hparams = model.hparams.map((name) => {
    return { id: `h:${name}`, heading: name, kind: "hparam", name };
  });
  const metrics = [...model.metrics.values()].flatMap(({ name, lower }) => [
    { id: `m:${name}`, heading: OWN.has(name) ? `metrics.${name}` : name, kind: "metric", name, lower },
    { id: `b:${name}`, heading: `${name} best`, kind: "best", name, lower },
  ]);
  const after = ["epoch", "epoch_time", "elapsed"].map((id) => {
    return { ...fixed(id, id.replace("_", " ")), lower: LOWER_IS_BETTER[id] };
  });
  const gpus = [["gpu_hours", "GPU-hours"], ["gpu_idle", "GPU idle"]].filter(([id]) => model.runs.some((run) => run[id] !== undefined && run[id] !== null)).map(([id, heading]) => fixed(id, heading));
  return [
    ...(several ? [fixed("experiment", "experiment")] : []),
    fixed("name", "run"),
    fixed("state", "state"),
    ...[...new Set(model.runs.flatMap((run) => Object.keys(run.steps ?? {})))].map((name) => {
      return { id: `s:${name}`, heading: name, kind: "step", name };
    }),
    ...(tagged ? [fixed("tag", "tag")] : []),
    ...hparams,
    ...metrics,
    ...after,
    ...gpus,
  ];
}

/** Return the ids of the columns that are shown until others are chosen. */
export function usualColumns(model) {
  const varying = new Set(model.varying);
  return columnsOf(model)
    .filter(({ kind, name }) => {
      if (kind === "hparam") return varying.has(name);
      if (kind === "best") return name === model.objective;
      return !["elapsed", "tag", "gpu_hours", "gpu_idle"].includes(kind);
    })
    .map((column) => column.id);
}

/** Return a run's value in a column, or undefined. */
export function valueOf(run, column) {
  const { kind, name } = column;
  if (kind === "hparam") return run.hparams.get(name) ?? undefined;
  if (kind === "metric") return run.metrics.get(name);
  if (kind === "best") return run.best.get(name);
  if (kind === "step") return run.steps?.[name]?.state;
  return run[kind] ?? undefined;
}

/** Compare two values for sorting: numbers come first, then text, then none. */
export function compare(left, right) {
  const rank = (value) => {
    if (value === undefined || value === null || value === "nan") return 2;
    return typeof value === "number" || typeof value === "boolean" ? 0 : 1;
  };
  const ranks = rank(left) - rank(right);
  if (ranks || rank(left) === 2) return ranks;
  if (rank(left) === 0) return Number(left) - Number(right);
  return String(left).localeCompare(String(right), undefined, { numeric: true });
}
