/**
 * The assigner of the group, for kafkajs: partitions with the same number of all topics go together, to who has the task
 * or its store, and has the settings that the application is scored by. What a member has goes up with each join.
 */
import type { Assigner, Kafka } from "kafkajs";
import { assignTasks, type Member } from "./assignment.js";
import { kafkajs } from "./kafkajs.js";
import type { MemberSettings } from "./shared-settings.js";

/** The protocol of the group: members with another one can't be in it. */
const NAME = "scorefold-sticky";
const VERSION = 1;

export type PartitionAssigner = NonNullable<
  NonNullable<Parameters<Kafka["consumer"]>[0]>["partitionAssigners"]
>[number];

/** What the members of a group have to have in common to be given tasks. */
export interface Agreement {
  /** What this member has. */
  readonly own: string;
  /** Decides, as the leader, what it is. */
  readonly agree: (members: readonly MemberSettings[]) => Promise<string>;
}

/**
 * @param own what this member has, asked at each join
 * @param agreement null: all members are alike
 */
export function stickyAssigner(own: () => Omit<Member, "id">, agreement: Agreement | null): PartitionAssigner {
  return ({ cluster }): Assigner => {
    const { MemberAssignment, MemberMetadata } = kafkajs().kafkajs.AssignerProtocol;
    return {
      name: NAME,
      version: VERSION,
      protocol: ({ topics }) => {
        const { owned, stores } = own();
        const userData = Buffer.from(JSON.stringify({ owned, stores, settings: agreement?.own }));
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
        const agreed =
          agreement === null
            ? null
            : await agreement.agree(known.map(({ id, settings }) => ({ member: id, settings })));
        const alike = known.filter(({ settings }) => agreed === null || settings === agreed);
        const given = assignTasks(alike, count);
        return known.map(({ id: memberId }) => {
          const tasks = given.get(memberId) ?? [];
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
function whatItHas(userData: Buffer | undefined): Omit<Member, "id"> & { settings: string } {
  try {
    const { owned, stores, settings } = JSON.parse(String(userData)) as Record<string, unknown>;
    return { owned: numbers(owned), stores: numbers(stores), settings: String(settings ?? "") };
  } catch {
    return { owned: [], stores: [], settings: "" };
  }
}

function numbers(values: unknown): number[] {
  return Array.isArray(values) ? values.filter((value): value is number => Number.isSafeInteger(value)) : [];
}
