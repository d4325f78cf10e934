/** What a store was folded from: another's is refused by name, for what it is. */
import { expect, it } from "vitest";
import { emptyMeta, type Meta, moved, positionOf, readMeta, type StoreOrigin } from "../../src/store/meta.js";
import type { PositionMark } from "../../src/store/position.js";

const clusterId = "cluster-1";
const origin: StoreOrigin = { app: "scores", tasks: 2, topicIds: new Map([["web", "id 1"]]) };
const text = JSON.stringify(emptyMeta({ clusterId, foldVersion: 1, origin }));

function readBy(over: Partial<StoreOrigin>, cluster = clusterId): unknown {
  return readMeta(text, { clusterId: cluster, foldVersion: 1, origin: { ...origin, ...over } }).origin;
}

it("is the store of one application, which may have more topics than before", () => {
  const more = new Map([...origin.topicIds, ["calls", "id 2"]]);
  expect(readBy({ topicIds: more })).toEqual({ app: "scores", tasks: 2, topicIds: { web: "id 1", calls: "id 2" } });
});

it("is not that of another application, though that has as many partitions, of other topics", () => {
  const read = (): unknown => readBy({ app: "trial", topicIds: new Map([["calls", "id 2"]]) });
  expect(read).toThrow(expect.objectContaining({ code: "format-unknown" }));
  expect(read).toThrow(
    "the store is that of application scores (web), and this is application trial: name the data directory of trial",
  );
});

it("is not that of another cluster, or other partitions", () => {
  expect(() => readBy({}, "cluster-2")).toThrow(/the store of application scores \(web\) was folded from another log/);
  expect(() => readBy({ tasks: 3 })).toThrow(/had 2 partitions, and now they have 3/);
});

it("keeps the id of a topic that was made anew, for whoever holds it against the log", () => {
  const ids = new Map([["web", "id 3"]]);
  expect(readBy({ topicIds: ids })).toEqual({ app: "scores", tasks: 2, topicIds: { web: "id 1" } });
});

it("keeps marks at growing distances, the newest as it is, and none behind it", () => {
  const mark = (base: number): PositionMark => ({ base, count: 1, at: base, checksum: base });
  const at = (meta: Meta, base: number): Meta =>
    moved(meta, { ...positionOf(meta), offsets: new Map([["web", base + 1]]), marks: new Map([["web", mark(base)]]) });
  let meta = emptyMeta({ clusterId, foldVersion: 1, origin });
  for (let base = 0; base <= 5000; base++) meta = at(meta, base);
  expect(positionOf(meta).marks.get("web")).toEqual(mark(5000));
  const bases = meta.marks["web"]!.map(({ base }) => base);
  expect(bases.length).toBeLessThanOrEqual(16);
  // However far back the log is lost, the next mark before that is at most eight times as far from the end.
  const distances = bases.map((base) => 5000 - base).reverse();
  for (let i = 2; i < distances.length; i++) expect(distances[i]).toBeLessThanOrEqual(8 * distances[i - 1]!);
  expect(distances.at(-1)).toBe(5000);
  meta = at(meta, 3000);
  expect(Math.max(...meta.marks["web"]!.map(({ base }) => base))).toBe(3000);
});

it("of another version says so, and nothing of what to do, which depends on the log", () => {
  const old = JSON.stringify({ ...JSON.parse(text), format: 3 });
  const read = (): unknown => readMeta(old, { clusterId, foldVersion: 1, origin });
  expect(read).toThrow("the store has format 3, and this version of scorefold knows 4");
});
