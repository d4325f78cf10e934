/** A broker, the instances on it, and the network between them, and what can be done to them. */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ownBroker } from "../components/kafka/kafka.js";
import { freePort } from "../components/local.js";
import { writeApplication } from "./application.js";
import { described, type Fault, nameOf } from "./faults.js";
import { Instance } from "./instance.js";
import { Network } from "./network.js";
import { Watch } from "./watch.js";

const run = promisify(execFile);
const INSTANCES = 3;
const INSTANCES_MAX = 5;
/** As a supervisor would, after an end that nobody asked for. */
const AGAIN_MS = 1_000;

export interface ProcessesOptions {
  readonly directory: string;
  readonly jars: string;
  readonly toxiproxy: string;
  readonly sessionMs: number;
  readonly withoutMsMax: number;
  readonly say: (text: string) => void;
}

type OwnBroker = Awaited<ReturnType<typeof ownBroker>>;

export class Processes {
  /** The way to the broker on which there is never any trouble. */
  readonly brokers: string;
  readonly watch: Watch;
  readonly problems: string[] = [];
  readonly #options: ProcessesOptions;
  readonly #files: { readonly topics: string; readonly models: string };
  readonly #broker: OwnBroker;
  readonly #network: Network;
  readonly #all: Instance[] = [];
  /** Those that are to be there, whether they are up just now or not. */
  readonly #wanted = new Set<Instance>();
  /** How many of each fault there were, by name. */
  readonly #counts = new Map<string, number>();
  #isBrokerDown = false;
  #isEnding = false;

  private constructor(options: ProcessesOptions, broker: OwnBroker, network: Network) {
    this.#options = options;
    this.#broker = broker;
    this.#network = network;
    this.brokers = broker.broker.address;
    this.#files = writeApplication(options.directory);
    const isCutOff = (instance: Instance): boolean => network.isCut(wayOf(instance));
    this.watch = new Watch(() => this.instances, isCutOff, options.withoutMsMax);
  }

  /** A broker with the topics, and the first instances with all tasks running. */
  static async start(options: ProcessesOptions): Promise<Processes> {
    const network = await Network.start(options.toxiproxy, INSTANCES_MAX);
    const processes = new Processes(options, await ownBroker(options.jars, network.listeners), network);
    try {
      await processes.#broker.broker.start();
      const { topics } = processes.#files;
      const cluster = ["--brokers", processes.brokers, "--topics", topics, "--replication", "1"];
      await run(process.execPath, [resolve("dist/cli/main.js"), "topics", "apply", ...cluster]);
      for (let i = 0; i < INSTANCES; i++) await processes.#add();
      await processes.watch.allRun();
      processes.watch.reset();
      return processes;
    } catch (error) {
      await processes.end();
      throw error;
    }
  }

  get instances(): readonly Instance[] {
    return [...this.#wanted];
  }

  /** How many of each fault there were, in words. */
  get tally(): string {
    return [...this.#counts].map(([name, count]) => `${count} ${name}`).join(", ");
  }

  /** Does it, and undoes what is to be undone. One that finds nobody to hit is passed over. */
  async inject(fault: Fault): Promise<void> {
    const { sessionMs } = this.#options;
    if (fault.kind === "broker") return await this.#restartBroker(fault);
    if (fault.kind === "out") return await this.#scaleOut(fault);
    if (fault.kind === "network") return await this.#trouble(fault);
    const live = this.instances.filter(({ isLive }) => isLive);
    // Somebody has to be left to take the tasks over.
    if (live.length < (fault.kind === "in" ? 3 : 2)) return;
    const instance = live[fault.whom % live.length]!;
    this.#note(fault, `instance ${instance.number}`);
    switch (fault.kind) {
      case "kill":
        await instance.kill();
        if (fault.losesData) instance.removeData();
        await sleep(fault.downMs);
        instance.start();
        return;
      case "zombie":
        instance.stop();
        await sleep(sessionMs + fault.beyondMs);
        instance.goOn();
        return;
      case "in": {
        this.#wanted.delete(instance);
        // One that has just been started may not listen to signals yet.
        const { hasAnswered } = instance;
        const code = await instance.terminate();
        if (code !== 0 && (code !== null || hasAnswered))
          this.problems.push(`instance ${instance.number} has ended after SIGTERM with ${code}`);
        return;
      }
      default:
        return fault satisfies never;
    }
  }

  /** The last words of all instances. */
  lastWords(lines: number): string {
    return this.#all.map((one) => `instance ${one.number} said last:\n${one.lastWords(lines)}`).join("\n");
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.watch.end();
    await Promise.all(this.#all.map((instance) => instance.kill()));
    await Promise.all([this.#broker.remove(), this.#network.end()]);
  }

  async #restartBroker(fault: Fault & { kind: "broker" }): Promise<void> {
    if (this.#isBrokerDown) return;
    this.#note(fault);
    this.#isBrokerDown = true;
    this.#tellWatch();
    await this.#broker.broker.stop("SIGKILL");
    await sleep(fault.downMs);
    await this.#broker.broker.start();
    this.#options.say("the broker serves again");
    this.#isBrokerDown = false;
    this.#tellWatch();
  }

  async #scaleOut(fault: Fault & { kind: "out" }): Promise<void> {
    if (this.#wanted.size >= INSTANCES_MAX) return;
    this.#note(fault);
    const former = this.#all.find((one) => !this.#wanted.has(one));
    if (former === undefined) return await this.#add();
    if (!fault.keepsData) former.removeData();
    this.#wanted.add(former);
    former.start();
  }

  async #trouble(fault: Fault & { kind: "network" }): Promise<void> {
    const live = this.instances.filter(({ isLive }) => isLive);
    if (live.length === 0) return;
    const instance = fault.whom === "all" ? null : live[fault.whom % live.length]!;
    const way = instance && wayOf(instance);
    if (this.#network.hasTrouble(way)) return;
    const who = instance === null ? "all instances" : `instance ${instance.number}`;
    this.#note(fault, who);
    const begun = this.#network.begin(way, fault.trouble);
    this.#tellWatch();
    const end = await begun;
    await sleep(fault.lastsMs);
    await end();
    this.#options.say(`${who}: no more ${nameOf(fault)}`);
    this.#tellWatch();
  }

  #note(fault: Fault, who: string | null = null): void {
    const name = nameOf(fault);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#options.say(`${who === null ? "" : `${who}: `}${described(fault)}`);
  }

  #tellWatch(): void {
    this.watch.hasBroker = !this.#isBrokerDown && !this.#network.isCutForAll;
  }

  async #add(): Promise<void> {
    const { directory, sessionMs } = this.#options;
    const number = this.#all.length + 1;
    const instance = new Instance({
      number,
      port: await freePort(),
      ...{ directory, sessionMs, brokers: this.#network.addresses[number - 1]!, ...this.#files },
      onEnded: (one, how) => void this.#ended(one, how),
    });
    this.#all.push(instance);
    this.#wanted.add(instance);
    instance.start();
  }

  /** One that can't reach a broker when it starts says so and ends; one that runs has no reason to. */
  async #ended(instance: Instance, how: string): Promise<void> {
    if (this.#isEnding) return;
    this.#options.say(`instance ${instance.number} has ended by itself: ${how}`);
    const wasCutOff = this.#isBrokerDown || this.#network.wasCut(wayOf(instance), instance.startedAt);
    if (instance.hasAnswered || !wasCutOff) {
      const problem = `instance ${instance.number} has ended by itself (${how}):\n${instance.lastWords(5)}`;
      this.problems.push(problem);
      this.watch.fail(new Error(problem));
    }
    await sleep(AGAIN_MS);
    if (!this.#isEnding && this.#wanted.has(instance)) instance.start();
  }
}

/** Of the network: each instance has one of its own. */
function wayOf({ number }: Instance): number {
  return number - 1;
}
