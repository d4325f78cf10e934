/**
 * What is asked of a cluster beyond kafkajs's producers and consumers: its own fetches, committed offsets with their
 * metadata, bounds. kafkajs has all of it, behind a symbol.
 */
import type { Kafka } from "kafkajs";

export interface Broker {
  /** What it knows, by the key of the request. */
  readonly versions?: Readonly<Record<number, { readonly maxVersion: number }>>;
  /** Waits for what was asked; connects again when it is asked again. */
  disconnect(): Promise<void>;
  readonly connectionPool: {
    readonly host: string;
    readonly port: number;
    send(request: {
      readonly request: unknown;
      readonly response: { decode(bytes: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
    }): Promise<unknown>;
  };
  describeGroups(of: { readonly groupIds: readonly string[] }): Promise<{
    readonly groups: readonly {
      readonly state: string;
      readonly members: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
    }[];
  }>;
  leaveGroup(of: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
  offsetFetch(of: {
    readonly groupId: string;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
    }[];
  }): Promise<{
    readonly responses: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly offset: string;
        readonly metadata: string | null;
      }[];
    }[];
  }>;
}

export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  /** Where what is known is older than is allowed. */
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[];
  findControllerBroker(): Promise<Broker>;
  findBroker(of: { readonly nodeId: number }): Promise<Broker>;
  findGroupCoordinator(of: { readonly groupId: string }): Promise<Broker>;
  removeBroker(of: { readonly host: string; readonly port: number }): void;
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
      readonly fromBeginning: boolean;
    }[],
  ): Promise<
    readonly { readonly topic: string; readonly partitions: readonly { partition: number; offset: string }[] }[]
  >;
}

const READ_COMMITTED = 1;
const METADATA_MAX_AGE_MS = 60_000;

/** A cluster with connections of its own. */
export function clusterOf(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  const create = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol!]!;
  return create({
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
  });
}
