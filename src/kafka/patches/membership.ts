import type { Patch } from "./patch.js";

interface ConsumerGroup {
  readonly memberId: string | null;
}

interface ConsumerGroupClass {
  readonly prototype: {
    joinAndSync(this: ConsumerGroup): Promise<void>;
    heartbeat(this: ConsumerGroup, options: { readonly interval: number }): Promise<void>;
  };
}

interface ProtocolError {
  readonly message: string;
  readonly type: string;
  readonly code: number;
  readonly retriable: boolean;
}

/**
 * A member that could not join has to join again. kafkajs goes on in two cases, and says nothing of it:
 *
 * - It forgets the id of a member that the coordinator does not know. Where joining then fails, since the broker is just
 *   going down, it sends no heartbeats and never joins.
 * - Where a connection breaks after the member has joined and before it is told its part, it sends heartbeats, which are
 *   answered: as the leader it holds up the whole group, else nobody has what it was given.
 *
 * Here its next heartbeat is answered as a coordinator would answer who has to join.
 */
export const membership: Patch = {
  name: "membership",
  file: "src/consumer/consumerGroup.js",
  replace: (original, load) => {
    const { prototype } = original as ConsumerGroupClass;
    const { KafkaJSProtocolError } = load("src/errors.js") as {
      readonly KafkaJSProtocolError: new (of: ProtocolError) => Error;
    };
    const failed = new WeakSet<ConsumerGroup>();
    const { joinAndSync, heartbeat } = prototype;
    prototype.joinAndSync = async function (): Promise<void> {
      try {
        await joinAndSync.call(this);
        failed.delete(this);
      } catch (error) {
        failed.add(this);
        throw error;
      }
    };
    prototype.heartbeat = async function (options): Promise<void> {
      const message = "The member has to join again: joining has failed";
      if (!this.memberId)
        throw new KafkaJSProtocolError({ message, type: "UNKNOWN_MEMBER_ID", code: 25, retriable: false });
      if (failed.has(this))
        throw new KafkaJSProtocolError({ message, type: "REBALANCE_IN_PROGRESS", code: 27, retriable: false });
      await heartbeat.call(this, options);
    };
    return original;
  },
};
