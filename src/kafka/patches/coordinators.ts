import type { Patch } from "./patch.js";

interface Coordinated {
  readonly groupId: string;
  /** 0: of a group; 1: of a transactional id. */
  readonly coordinatorType?: number;
}

interface Metadata {
  readonly coordinator: { readonly nodeId: number };
}

interface ClusterClass {
  new (...args: never[]): object;
  readonly prototype: {
    findGroupCoordinatorMetadata(this: object, of: Coordinated): Promise<Metadata>;
    findBroker(this: object, of: { readonly nodeId: number }): Promise<unknown>;
  };
}

type Call = (this: unknown, ...args: unknown[]) => Promise<unknown>;

/** Calls that only a coordinator answers: one that fails has perhaps moved. */
const calls = [
  "initProducerId",
  "addPartitionsToTxn",
  "addOffsetsToTxn",
  "endTxn",
  "txnOffsetCommit",
  "joinGroup",
  "syncGroup",
  "heartbeat",
  "leaveGroup",
  "offsetFetch",
  "offsetCommit",
];

/** Counts failures of coordinators, of whichever cluster: what was known before one is asked again. */
let failures = 0;

/**
 * Who coordinates a group or a transactional id is asked once, and again after a call to a coordinator has failed. kafkajs
 * asks before each call: four of the nine round trips of a small transaction.
 */
export const coordinators: Patch = {
  name: "coordinators",
  file: "src/cluster/index.js",
  replace: (original, load) => {
    const { prototype } = original as ClusterClass;
    const broker = load("src/broker/index.js") as { readonly prototype: Record<string, Call> };
    for (const name of calls) broker.prototype[name] = counted(broker.prototype[name]!);
    // A coordinator that is not there any more.
    prototype.findBroker = counted(prototype.findBroker as Call) as typeof prototype.findBroker;
    const ask = prototype.findGroupCoordinatorMetadata;
    const known = new WeakMap<object, { readonly since: number; readonly found: Map<string, Metadata> }>();
    prototype.findGroupCoordinatorMetadata = async function (of): Promise<Metadata> {
      let own = known.get(this);
      if (own === undefined || own.since !== failures) {
        own = { since: failures, found: new Map() };
        known.set(this, own);
      }
      const key = `${of.coordinatorType ?? 0} ${of.groupId}`;
      const before = own.found.get(key);
      if (before !== undefined) return before;
      const metadata = await ask.call(this, of);
      own.found.set(key, metadata);
      return metadata;
    };
    return original;
  },
};

function counted(call: Call): Call {
  return async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    try {
      return await call.apply(this, args);
    } catch (error) {
      failures += 1;
      throw error;
    }
  };
}
