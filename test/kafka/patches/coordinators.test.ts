/** Who coordinates is asked once, until a call to a coordinator fails. */
import { describe, expect, it } from "vitest";
import { coordinators } from "../../../src/kafka/patches/coordinators.js";
import type { Patch } from "../../../src/kafka/patches/patch.js";
import { copyOfKafkajs } from "./copies.js";

type Call = (this: unknown, ...args: unknown[]) => Promise<unknown>;
type Class = { readonly prototype: Record<string, Call> };

function clusterWith(patches: readonly Patch[]) {
  const { load } = copyOfKafkajs(patches);
  const cluster = load("src/cluster/index.js") as Class;
  const broker = load("src/broker/index.js") as Class;
  let asked = 0;
  const own = {
    logger: { debug: () => undefined },
    retrier: async (ask: (bail: (error: unknown) => never) => Promise<unknown>) =>
      await ask((error) => {
        throw error;
      }),
    brokerPool: {
      withBroker: async (use: (of: object) => Promise<unknown>) =>
        await use({
          nodeId: 1,
          broker: { findGroupCoordinator: async () => ({ host: "h", coordinator: { nodeId: ++asked } }) },
        }),
      findBroker: async () => {
        throw new Error("it is gone");
      },
    },
  };
  const find = async (groupId: string, coordinatorType?: number): Promise<number> => {
    const found = await cluster.prototype["findGroupCoordinatorMetadata"]!.call(own, { groupId, coordinatorType });
    return (found as { coordinator: { nodeId: number } }).coordinator.nodeId;
  };
  const fails = async (prototype: Class["prototype"], name: string, of: unknown): Promise<void> => {
    await expect(prototype[name]!.call(of, {})).rejects.toThrow();
  };
  return {
    find,
    endTxnFails: () => fails(broker.prototype, "endTxn", {}),
    brokerIsGone: () => fails(cluster.prototype, "findBroker", own),
  };
}

describe("the coordinator of a group", () => {
  it("is asked each time without the correction", async () => {
    const { find } = clusterWith([]);
    expect([await find("g"), await find("g")]).toEqual([1, 2]);
  });

  it("is asked once with it, each group and each kind by itself", async () => {
    const { find } = clusterWith([coordinators]);
    expect([await find("g"), await find("g"), await find("g", 0)]).toEqual([1, 1, 1]);
    expect([await find("g", 1), await find("other")]).toEqual([2, 3]);
    expect([await find("g", 1), await find("g")]).toEqual([2, 1]);
  });

  it("is asked again after a call to one has failed, or a broker is gone", async () => {
    const { find, endTxnFails, brokerIsGone } = clusterWith([coordinators]);
    expect(await find("g")).toBe(1);
    await endTxnFails();
    expect([await find("g"), await find("g")]).toEqual([2, 2]);
    await brokerIsGone();
    expect([await find("g"), await find("g")]).toEqual([3, 3]);
  });
});
