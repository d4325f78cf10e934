import type { Patch } from "./patch.js";
import type { Message } from "./record-writer.js";

interface Grouping {
  readonly topic: string;
  readonly partitionMetadata: readonly unknown[];
  readonly messages: readonly (Message & { readonly partition?: number | null })[];
  readonly partitioner: (of: Pick<Grouping, "topic" | "partitionMetadata"> & { readonly message: Message }) => number;
}

/** Messages of each partition by push; kafkajs copies all that it has of a partition for each message. */
export const groupByPartition: Patch = {
  name: "group by partition",
  file: "src/producer/groupMessagesPerPartition.js",
  replace:
    () =>
    ({ topic, partitionMetadata, messages, partitioner }: Grouping): Record<number, Message[]> => {
      const groups: Record<number, Message[]> = {};
      if (partitionMetadata.length === 0) return groups;
      for (const message of messages) {
        const partition = message.partition ?? partitioner({ topic, partitionMetadata, message });
        const group = groups[partition];
        if (group === undefined) groups[partition] = [message];
        else group.push(message);
      }
      return groups;
    },
};
