/** A member that has lost its id joins again. */
import { expect, it } from "vitest";
import { membership } from "../../../src/kafka/patches/membership.js";
import type { Patch } from "../../../src/kafka/patches/patch.js";
import { copyOfKafkajs } from "./copies.js";

interface ConsumerGroup {
  memberId: string | null;
  heartbeat(options: { interval: number }): Promise<void>;
}

function member(patches: readonly Patch[], memberId: string | null) {
  const { load } = copyOfKafkajs(patches);
  const made = load("src/consumer/consumerGroup.js") as new (options: object) => ConsumerGroup;
  const group = new made({
    retry: {},
    logger: { namespace: () => ({}) },
    topics: [],
    instrumentationEmitter: { emit: () => undefined },
  });
  let sent = 0;
  const coordinator = {
    heartbeat: async () => {
      sent += 1;
    },
  };
  Object.assign(group, { memberId, coordinator, lastRequest: 0 });
  return { heartbeat: async () => await group.heartbeat({ interval: 1 }), sent: () => sent };
}

it("sends no heartbeat and goes on without the correction", async () => {
  const { heartbeat, sent } = member([], null);
  await heartbeat();
  expect(sent()).toBe(0);
});

it("is told that it is not known with it, as by a coordinator", async () => {
  const { heartbeat, sent } = member([membership], null);
  await expect(heartbeat()).rejects.toMatchObject({ type: "UNKNOWN_MEMBER_ID" });
  expect(sent()).toBe(0);
});

it("sends heartbeats as before where it has its id", async () => {
  const { heartbeat, sent } = member([membership], "me");
  await heartbeat();
  expect(sent()).toBe(1);
});
