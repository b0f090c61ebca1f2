// Runs with curves that grow, their columns and order, and the graph of steps.

import assert from "node:assert/strict";
import test from "node:test";

import { addPoint, columnsOf, compare, firstNotBelow, makeModel, numeric, usualColumns, valueOf } from "../../runx/report/assets/model.js";
import { grouped } from "../../runx/report/assets/selection.js";
import { depthsOf } from "../../runx/report/assets/stepgraph.js";

const packed = (...values) => btoa(String.fromCharCode(...new Uint8Array(new Float32Array(values).buffer)));

function modelOf(...runs) {
  return makeModel({
    hparams: ["lr"],
    varying: ["lr"],
    objective: "acc",
    metrics: [{ name: "acc", lower: false, known: true }],
    runs: runs.map((run, nth) => ({ key: `run-${nth}`, name: `run-${nth}`, state: "done", experiment: "e", hparams: {}, metrics: {}, best: {}, courses: {}, ...run })),
  });
}

test("a course is read from its bytes, and grows in order", () => {
  const { runs: [run] } = modelOf({ courses: { val: { x: [0, 1, 3], t: packed(0, 1, 2), m: { acc: packed(1, 2, 3) } } } });
  const course = run.courses.get("val");
  assert.deepEqual([...course.x], [0, 1, 2]);
  addPoint(run, "val", 4, 9, { acc: 5, loss: "nan" });
  addPoint(run, "val", 3, 8, { acc: 4 });
  addPoint(run, "val", 1, 8, { acc: 7 });
  assert.deepEqual([...course.x.slice(0, course.length)], [0, 1, 2, 3, 4]);
  assert.deepEqual([...course.metrics.get("acc").slice(0, 5)], [1, 7, 3, 4, 5]);
  assert.equal(firstNotBelow(course.x, course.length, 2.5), 3);
});

test("many points come one by one", () => {
  const { runs: [run] } = modelOf({});
  for (let epoch = 0; epoch < 1000; epoch += 1) addPoint(run, "train", epoch, epoch, { loss: epoch });
  const course = run.courses.get("train");
  assert.equal(course.length, 1000);
  assert.equal(course.metrics.get("loss")[999], 999);
});

test("numbers come first, then text, then what is missing", () => {
  const values = ["b", undefined, 2, "nan", "a10", 10, "a9", true, null];
  assert.deepEqual(values.sort(compare), [true, 2, 10, "a9", "a10", "b", "nan", null, undefined]);
  assert.deepEqual(["nan", "inf", "x", true].map(numeric), [NaN, Infinity, NaN, 1]);
});

test("the columns are those of the runs, a column a step", () => {
  const model = modelOf({ hparams: { lr: 0.1 }, steps: { train: { state: "done" } } }, { steps: { train: { state: "failed" }, eval: { state: "blocked" } } });
  const columns = columnsOf(model);
  assert.deepEqual(columns.filter(({ kind }) => kind === "step").map(({ name }) => name), ["train", "eval"]);
  const evaluated = columns.find(({ id }) => id === "s:eval");
  assert.deepEqual(model.runs.map((run) => valueOf(run, evaluated)), [undefined, "blocked"]);
  assert.ok(usualColumns(model).includes("s:train"));
});

test("groups are Python's, of the runs that are shown", () => {
  const model = { ...modelOf({}, {}, {}), groupings: { keys: ["run-0", "run-1", "run-2"], choices: [{ id: "h:lr", labels: ["0.1", "1.0"], of: [1, 0, 1] }, { id: "*h:seed", by: ["lr"], of: [1, 0, 1] }] } };
  const names = (id, runs) => [...(grouped(model, [id].flat(), runs) ?? [])].map(([label, members]) => [label, members.map(({ key }) => key)]);
  assert.deepEqual(names("h:lr", model.runs), [["0.1", ["run-1"]], ["1.0", ["run-0", "run-2"]]]);
  assert.deepEqual(names("*h:seed", model.runs.slice(0, 1)), [["lr=1.0", ["run-0"]]]);
  assert.equal(grouped(model, ["h:none"], model.runs), null);
});

test("a step is as deep as the longest way to it", () => {
  const graph = [{ name: "a", after: {} }, { name: "b", after: { a: "done" } }, { name: "c", after: { a: "done", b: "ended" } }, { name: "d", after: { gone: "done" } }];
  assert.deepEqual([...depthsOf(graph)], [["a", 0], ["b", 1], ["c", 2], ["d", 0]]);
});
