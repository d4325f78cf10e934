/** Which tasks the members of a group have, as its coordinator says it. */
import type { Cluster } from "./cluster.js";
import { kafkajs } from "./kafkajs.js";

export interface AssignedInGroup {
  /** Those that some member has. */
  readonly tasks: ReadonlySet<number>;
  /** The id of the first member in order; null: the group has none. */
  readonly first: string | null;
}

/** @returns null while the group is being shared out anew: then nobody is said to have anything */
export async function assignedTasks(cluster: Cluster, groupId: string): Promise<AssignedInGroup | null> {
  const coordinator = await cluster.findGroupCoordinator({ groupId });
  const { groups } = await coordinator.describeGroups({ groupIds: [groupId] });
  const group = groups[0];
  if (group === undefined || group.members.length === 0) return { tasks: new Set(), first: null };
  if (group.state !== "Stable") return null;
  const { MemberAssignment } = kafkajs().kafkajs.AssignerProtocol;
  const partitions = group.members.flatMap(({ memberAssignment }) =>
    Object.values(MemberAssignment.decode(memberAssignment)?.assignment ?? {}).flat(),
  );
  const [first] = group.members.map(({ memberId }) => memberId).sort();
  return { tasks: new Set(partitions), first: first as string };
}
