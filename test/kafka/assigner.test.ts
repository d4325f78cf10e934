/** Who may be given tasks: only members that have what the group has agreed on. */
import { expect, it } from "vitest";
import { type Agreement, stickyAssigner } from "../../src/kafka/assigner.js";
import { kafkajs } from "../../src/kafka/kafkajs.js";
import { chosenSettings } from "../../src/kafka/settings.js";

const cluster = { findTopicPartitionMetadata: () => [0, 1, 2].map((partitionId) => ({ partitionId })) };
type MakeOptions = Parameters<ReturnType<typeof stickyAssigner>>[0];

function assignerOf(settings: string | null, running: string | null = null) {
  const agree: Agreement["agree"] = async (members) =>
    chosenSettings(
      running,
      members.map((one) => one.settings),
    );
  const agreement = settings === null ? null : { own: settings, agree };
  return stickyAssigner(() => ({ owned: [], stores: [] }), agreement)({ cluster } as unknown as MakeOptions);
}

/** By member, named `id:settings`. */
async function given(running: string | null, ...names: string[]): Promise<Record<string, number[]>> {
  const members = names.map((memberId) => {
    const { metadata } = assignerOf(memberId.split(":")[1] ?? null).protocol({ topics: ["a"] });
    return { memberId, memberMetadata: metadata };
  });
  const all = await assignerOf("leader", running).assign({ members, topics: ["a"] });
  const { MemberAssignment } = kafkajs().kafkajs.AssignerProtocol;
  return Object.fromEntries(
    all.map(({ memberId, memberAssignment }) => [
      memberId,
      MemberAssignment.decode(memberAssignment)!.assignment["a"]!,
    ]),
  );
}

it("are all that have the settings which hold, and the others are members with nothing", async () => {
  expect(await given("old", "m1:old", "m2:new", "m3:old")).toEqual({ "m1:old": [0, 2], "m2:new": [], "m3:old": [1] });
  expect(await given("old", "m1:new", "m2:new")).toEqual({ "m1:new": [0, 2], "m2:new": [1] });
  // One that says nothing is of a version that knows no settings.
  expect(await given(null, "m1:a", "m2:a", "m3")).toEqual({ "m1:a": [0, 2], "m2:a": [1], m3: [] });
});
