/** What a store was folded from: another's is refused by name, for what it is. */
import { expect, it } from "vitest";
import { emptyMeta, readMeta, type StoreOrigin } from "../../src/store/meta.js";

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

it("is not that of another cluster, other partitions, or a topic that was made anew", () => {
  expect(() => readBy({}, "cluster-2")).toThrow(/the store of application scores \(web\) was folded from another log/);
  expect(() => readBy({ tasks: 3 })).toThrow(/had 2 partitions, and now they have 3/);
  expect(() => readBy({ topicIds: new Map([["web", "id 3"]]) })).toThrow(/web: deleted and made anew/);
});
