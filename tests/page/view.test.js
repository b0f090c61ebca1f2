// The view in the address, and what of it is drawn.

import assert from "node:assert/strict";
import test from "node:test";

import { fromHash, toHash } from "../../runx/report/assets/store.js";

const USUAL = { filter: "", hidden: [], columns: null, logx: false, brushes: {}, smooth: 0 };

test("a link holds what was chosen, whatever is in it", () => {
  const view = { ...USUAL, filter: "note == 'a&b=c#d %'", hidden: ["run/1", "ünï"], brushes: { "h:lr": [0.1, 1] } };
  const hash = toHash(view, USUAL);
  assert.deepEqual(fromHash(`#${hash}`, USUAL), view);
  assert.ok(!/[#\s]/.test(hash));
});

test("what can't be read of a link is as usual, and the rest counts", () => {
  for (const part of ["hidden=3", "hidden=%5B", "logx=1", "brushes=null", "columns=%7B%7D", "nonsense", "__proto__=1", "filter=%"]) {
    const view = fromHash(`${part}&smooth=0.5`, USUAL);
    assert.deepEqual(view, { ...USUAL, smooth: 0.5 }, part);
  }
});
