/**
 * The assigner of the group, for kafkajs: partitions with the same number of all topics go together, to who has the task
 * or its store. What a member has goes up with each join.
 */
import type { Assigner, Kafka } from "kafkajs";
import { assignTasks, type Member } from "./assignment.js";
import { kafkajs } from "./kafkajs.js";

/** The protocol of the group: members with another one can't be in it. */
const NAME = "scorefold-sticky";
const VERSION = 1;

export type PartitionAssigner = NonNullable<
  NonNullable<Parameters<Kafka["consumer"]>[0]>["partitionAssigners"]
>[number];

/** @param own what this member has, asked at each join */
export function stickyAssigner(own: () => Omit<Member, "id">): PartitionAssigner {
  return ({ cluster }): Assigner => {
    const { MemberAssignment, MemberMetadata } = kafkajs().kafkajs.AssignerProtocol;
    return {
      name: NAME,
      version: VERSION,
      protocol: ({ topics }) => {
        const { owned, stores } = own();
        const userData = Buffer.from(JSON.stringify({ owned, stores }));
        return { name: NAME, metadata: MemberMetadata.encode({ version: VERSION, topics, userData }) };
      },
      assign: async ({ members, topics }) => {
        const partitions = new Map(
          topics.map((topic) => [
            topic,
            cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId),
          ]),
        );
        const count = 1 + Math.max(-1, ...[...partitions.values()].flat());
        const known = members.map(({ memberId, memberMetadata }) => ({
          id: memberId,
          ...whatItHas(MemberMetadata.decode(memberMetadata)?.userData),
        }));
        return [...assignTasks(known, count)].map(([memberId, tasks]) => {
          const assignment: Record<string, number[]> = {};
          for (const [topic, all] of partitions) assignment[topic] = tasks.filter((task) => all.includes(task));
          const memberAssignment = MemberAssignment.encode({ version: VERSION, assignment, userData: Buffer.alloc(0) });
          return { memberId, memberAssignment };
        });
      },
    };
  };
}

/** A member that says nothing that is understood has nothing. */
function whatItHas(userData: Buffer | undefined): Omit<Member, "id"> {
  try {
    const { owned, stores } = JSON.parse(String(userData)) as { owned: unknown; stores: unknown };
    return { owned: numbers(owned), stores: numbers(stores) };
  } catch {
    return { owned: [], stores: [] };
  }
}

function numbers(values: unknown): number[] {
  return Array.isArray(values) ? values.filter((value): value is number => Number.isSafeInteger(value)) : [];
}
