// Values as text, scales, axes and statistics.

import assert from "node:assert/strict";
import test from "node:test";

import { axisMap, logSplits, padded } from "../../runx/report/assets/axes.js";
import { compareTexts, duration, even, scaleOf, shortNumber, shown, size } from "../../runx/report/assets/numbers.js";
import { deviation, mean, smoothed } from "../../runx/report/assets/statistics.js";

test("numbers are short, and none is told wrongly", () => {
  const texts = [[1, "1"], [0.1, "0.1"], [1 / 3, "0.33333"], [1e-7, "1e-07"], [123456789, "123456789"], [1e9, "1e+09"], [NaN, "nan"], [-Infinity, "-inf"], [-0.00001234567, "-1.2346e-05"]];
  for (const [value, text] of texts) assert.equal(shortNumber(value), text);
  assert.equal(shown(null), "");
  assert.equal(shown([1, "a"]), '[1,"a"]');
  assert.equal(shown(true), "true");
});

test("durations and sizes", () => {
  assert.deepEqual([2.46, 65, 3605, NaN, undefined].map(duration), ["2.5 s", "1:05", "1:00:05", "", ""]);
  assert.deepEqual([0, 999, 1500, 25_000_000].map(size), ["0 B", "999 B", "1.5 kB", "25 MB"]);
});

test("texts that are numbers are sorted by size, others by name", () => {
  assert.deepEqual(["10", "9", "1e-3"].sort(compareTexts), ["1e-3", "9", "10"]);
  assert.deepEqual(["b10", "b9", "a"].sort(compareTexts), ["a", "b9", "b10"]);
});

test("a scale is logarithmic where values are far apart and mostly small", () => {
  assert.equal(scaleOf([0.001, 0.01, 0.1, 1]).log, true);
  assert.equal(scaleOf([0, 0.001, 1]).log, false);
  assert.equal(scaleOf([1, 2, 3]).log, false);
  assert.equal(scaleOf(["sgd", "adam"]).kind, "name");
  assert.equal(scaleOf([]).kind, "name");
  const scale = scaleOf([0.001, 0.01, 0.1, 1]);
  for (const value of [0.001, 0.05, 1]) assert.ok(Math.abs(scale.unplace(scale.place(value)) / value - 1) < 1e-9);
  assert.equal(scale.place(-1), null);
});

test("axes go there and back, and mark round numbers", () => {
  for (const log of [false, true]) {
    const map = axisMap(0.5, 800, 0, 300, log);
    assert.equal(map(0.5), 0);
    assert.ok(Math.abs(map(map.back(120)) - 120) < 1e-9);
  }
  assert.deepEqual(logSplits(1, 1000), [1, 10, 100, 1000]);
  assert.deepEqual(even(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(even(0, 9.9e5, 1), [0]);
  const [low, high] = padded([5, 5], false);
  assert.ok(low < 5 && high > 5);
});

test("means and deviations", () => {
  assert.equal(mean([1, 2, 6]), 3);
  assert.equal(deviation([2, 4]), Math.SQRT2);
  assert.ok(Number.isNaN(deviation([1])));
  assert.deepEqual([...smoothed([1, NaN, 1], 3, 0.5)], [1, NaN, 1]);
});
