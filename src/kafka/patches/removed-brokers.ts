import type { Patch } from "./patch.js";

interface Broker {
  isConnected(): boolean;
  disconnect(): Promise<void>;
}

interface BrokerPool {
  readonly brokers: Readonly<Record<string, Broker>>;
  readonly seedBroker?: Broker;
}

interface BrokerPoolClass {
  readonly prototype: {
    createSeedBroker(this: BrokerPool): Promise<void>;
    removeBroker(this: BrokerPool, of: { readonly host: string; readonly port: number }): void;
    disconnect(this: BrokerPool): Promise<void>;
  };
}

/**
 * A broker that is removed is disconnected. A connection that breaks removes its broker, and kafkajs forgets the other
 * connection to it: each time one stays open for ever, and keeps the process from ending. The same goes for a seed broker
 * that two make at once.
 */
export const removedBrokers: Patch = {
  name: "removed brokers",
  file: "src/cluster/brokerPool.js",
  replace: (original) => {
    const { prototype } = original as BrokerPoolClass;
    const { createSeedBroker, removeBroker, disconnect } = prototype;
    /** Whoever still has one of these may connect it again. */
    const removed = new WeakMap<BrokerPool, Set<Broker>>();
    const creating = new WeakMap<BrokerPool, Promise<void>>();
    prototype.createSeedBroker = async function (): Promise<void> {
      let created = creating.get(this);
      if (created === undefined) {
        created = createSeedBroker.call(this).finally(() => creating.delete(this));
        creating.set(this, created);
      }
      await created;
    };
    prototype.removeBroker = function (of): void {
      const before = brokersOf(this);
      removeBroker.call(this, of);
      const after = brokersOf(this);
      const left = [...(removed.get(this) ?? [])].filter((broker) => broker.isConnected());
      const gone = [...before].filter((broker) => !after.has(broker));
      removed.set(this, new Set([...left, ...gone]));
      for (const broker of gone) broker.disconnect().catch(() => undefined);
    };
    prototype.disconnect = async function (): Promise<void> {
      const gone = removed.get(this) ?? [];
      removed.delete(this);
      await Promise.all([disconnect.call(this), ...[...gone].map(async (broker) => await broker.disconnect())]);
    };
    return original;
  },
};

function brokersOf({ brokers, seedBroker }: BrokerPool): Set<Broker> {
  return new Set(seedBroker === undefined ? Object.values(brokers) : [...Object.values(brokers), seedBroker]);
}
