/** What a pool of brokers forgets it disconnects. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Patch } from "../../../src/kafka/patches/patch.js";
import { removedBrokers } from "../../../src/kafka/patches/removed-brokers.js";
import { copyOfKafkajs } from "./copies.js";

class FakeBroker {
  readonly nodeId = 1;
  readonly connectionPool = { host: "h", port: 9092 };
  connected = true;

  isConnected(): boolean {
    return this.connected;
  }

  async disconnect(): Promise<void> {
    this.connected = false;
  }
}

interface Pool {
  brokers: Record<string, FakeBroker>;
  seedBroker: FakeBroker | undefined;
  removeBroker(of: { host: string; port: number }): void;
  createSeedBroker(): Promise<void>;
  disconnect(): Promise<void>;
}

let made: FakeBroker[];

beforeEach(() => {
  made = [];
});

function poolWith(patches: readonly Patch[]): Pool {
  const { load } = copyOfKafkajs(patches);
  const Made = load("src/cluster/brokerPool.js") as new (options: object) => Pool;
  const log = { namespace: () => log };
  const pool = new Made({ connectionPoolBuilder: { build: async () => ({}) }, logger: log });
  Object.assign(pool, {
    createBroker: () => {
      made.push(new FakeBroker());
      return made.at(-1);
    },
  });
  return pool;
}

const here = { host: "h", port: 9092 };

describe("a broker that is removed", () => {
  it("stays connected without the correction", async () => {
    const pool = poolWith([]);
    const broker = new FakeBroker();
    pool.brokers = { 1: broker };
    pool.seedBroker = broker;
    pool.removeBroker(here);
    await pool.disconnect();
    expect(broker.connected).toBe(true);
  });

  it("is disconnected with it; once more with the pool, where somebody has connected it again", async () => {
    const pool = poolWith([removedBrokers]);
    const [broker, other] = [new FakeBroker(), new FakeBroker()];
    pool.brokers = { 1: broker };
    pool.seedBroker = broker;
    pool.removeBroker({ host: "another", port: 1 });
    expect(broker.connected).toBe(true);
    pool.removeBroker(here);
    expect(broker.connected).toBe(false);
    broker.connected = true;
    pool.brokers = { 1: other };
    pool.seedBroker = other;
    pool.removeBroker(here);
    expect([broker.connected, other.connected]).toEqual([true, false]);
    await pool.disconnect();
    expect(broker.connected).toBe(false);
  });
});

describe("a seed broker that two make at once", () => {
  const make = async (pool: Pool): Promise<void> => {
    await Promise.all([pool.createSeedBroker(), pool.createSeedBroker()]);
    await pool.disconnect();
  };

  it("is two without the correction, one of them for ever", async () => {
    await make(poolWith([]));
    expect(made.map(({ connected }) => connected)).toEqual([true, false]);
  });

  it("is one with it", async () => {
    await make(poolWith([removedBrokers]));
    expect(made.map(({ connected }) => connected)).toEqual([false]);
  });
});
