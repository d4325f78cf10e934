/** A member that could not join joins again. */
import { describe, expect, it } from "vitest";
import { membership } from "../../../src/kafka/patches/membership.js";
import type { Patch } from "../../../src/kafka/patches/patch.js";
import { copyOfKafkajs } from "./copies.js";

interface ConsumerGroup {
  memberId: string | null;
  joinAndSync(): Promise<void>;
  heartbeat(options: { interval: number }): Promise<void>;
}

function member(patches: readonly Patch[], memberId: string | null) {
  const { load } = copyOfKafkajs(patches);
  const made = load("src/consumer/consumerGroup.js") as new (options: object) => ConsumerGroup;
  const { MemberAssignment } = load("src/consumer/assignerProtocol.js") as {
    readonly MemberAssignment: { encode(of: object): Buffer };
  };
  const logger = { info: () => undefined, debug: () => undefined };
  let sent = 0;
  let isCut = false;
  const coordinator = {
    joinGroup: async () => ({ generationId: 7, leaderId: "other", memberId: "me", members: [] }),
    syncGroup: async () => {
      if (isCut) throw new Error("Closed connection");
      return { memberAssignment: MemberAssignment.encode({ version: 1, assignment: {} }) };
    },
    heartbeat: async () => {
      sent += 1;
    },
  };
  const group = new made({
    retry: {},
    logger: { namespace: () => logger },
    cluster: { findGroupCoordinator: async () => coordinator },
    topics: [],
    assigners: [],
    instrumentationEmitter: { emit: () => undefined },
  });
  Object.assign(group, { memberId, coordinator, lastRequest: 0 });
  const beat = async () => {
    Object.assign(group, { lastRequest: 0 });
    await group.heartbeat({ interval: 1 });
  };
  const join = async (cut: boolean) => {
    isCut = cut;
    await group.joinAndSync();
  };
  return { beat, join, sent: () => sent };
}

describe("a member without an id", () => {
  it("sends no heartbeat and goes on without the correction", async () => {
    const { beat, sent } = member([], null);
    await beat();
    expect(sent()).toBe(0);
  });

  it("is told that it is not known with it, as by a coordinator", async () => {
    const { beat, sent } = member([membership], null);
    await expect(beat()).rejects.toMatchObject({ type: "UNKNOWN_MEMBER_ID" });
    expect(sent()).toBe(0);
  });
});

describe("a member that was not told its part", () => {
  it("sends heartbeats and goes on without the correction", async () => {
    const { beat, join, sent } = member([], null);
    await expect(join(true)).rejects.toThrow("Closed connection");
    await beat();
    expect(sent()).toBe(1);
  });

  it("is told to join again with it, until it has joined", async () => {
    const { beat, join, sent } = member([membership], null);
    await expect(join(true)).rejects.toThrow("Closed connection");
    await expect(beat()).rejects.toMatchObject({ type: "REBALANCE_IN_PROGRESS" });
    await expect(join(true)).rejects.toThrow("Closed connection");
    await expect(beat()).rejects.toMatchObject({ type: "REBALANCE_IN_PROGRESS" });
    expect(sent()).toBe(0);
    await join(false);
    await beat();
    expect(sent()).toBe(1);
  });
});

it("sends heartbeats as before where it has its id", async () => {
  const { beat, sent } = member([membership], "me");
  await beat();
  expect(sent()).toBe(1);
});
