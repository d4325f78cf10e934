import type { Patch } from "./patch.js";

interface ConsumerGroupClass {
  readonly prototype: {
    heartbeat(this: { readonly memberId: string | null }, options: { readonly interval: number }): Promise<void>;
  };
}

type ProtocolErrorClass = new (of: { message: string; type: string; code: number; retriable: boolean }) => Error;

/**
 * A member that has no id has to join. kafkajs forgets the id of one that the coordinator does not know, and joins again;
 * where that fails, since the broker is just going down, it goes on without an id: it sends no heartbeats, never joins, and
 * says nothing of it. Here its heartbeat is answered as the coordinator would.
 */
export const membership: Patch = {
  name: "membership",
  file: "src/consumer/consumerGroup.js",
  replace: (original, load) => {
    const { prototype } = original as ConsumerGroupClass;
    const { KafkaJSProtocolError } = load("src/errors.js") as { readonly KafkaJSProtocolError: ProtocolErrorClass };
    const send = prototype.heartbeat;
    prototype.heartbeat = async function (options): Promise<void> {
      if (!this.memberId) {
        const message = "The member has no id: joining has failed";
        throw new KafkaJSProtocolError({ message, type: "UNKNOWN_MEMBER_ID", code: 25, retriable: false });
      }
      await send.call(this, options);
    };
    return original;
  },
};
