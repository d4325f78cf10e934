/** A broker and the instances on it, and what can be done to them. */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ownBroker } from "../components/kafka/kafka.js";
import { freePort } from "../components/local.js";
import { writeApplication } from "./application.js";
import { described, type Fault } from "./faults.js";
import { Instance } from "./instance.js";
import { Watch } from "./watch.js";

const run = promisify(execFile);
const INSTANCES = 3;
const INSTANCES_MAX = 5;
/** As a supervisor would, after an end that nobody asked for. */
const AGAIN_MS = 1_000;

export interface ProcessesOptions {
  readonly directory: string;
  readonly jars: string;
  readonly sessionMs: number;
  readonly withoutMsMax: number;
  readonly say: (text: string) => void;
}

export class Processes {
  readonly brokers: string;
  readonly watch: Watch;
  readonly problems: string[] = [];
  readonly #options: ProcessesOptions;
  readonly #files: { readonly topics: string; readonly models: string };
  readonly #broker: Awaited<ReturnType<typeof ownBroker>>;
  readonly #all: Instance[] = [];
  /** Those that are to be there, whether they are up just now or not. */
  readonly #wanted = new Set<Instance>();
  #isBrokerDown = false;
  #isEnding = false;

  private constructor(options: ProcessesOptions, broker: Awaited<ReturnType<typeof ownBroker>>) {
    this.#options = options;
    this.#broker = broker;
    this.brokers = broker.broker.address;
    this.#files = writeApplication(options.directory);
    this.watch = new Watch(() => this.instances, options.withoutMsMax);
  }

  /** A broker with the topics, and the first instances with all tasks running. */
  static async start(options: ProcessesOptions): Promise<Processes> {
    const processes = new Processes(options, await ownBroker(options.jars));
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

  /** Does it, and undoes what is to be undone. One that finds nobody to hit is passed over. */
  async inject(fault: Fault): Promise<void> {
    const { say, sessionMs } = this.#options;
    if (fault.kind === "broker") return await this.#restartBroker(fault.downMs);
    if (fault.kind === "out") return await this.#scaleOut(fault.keepsData);
    const live = this.instances.filter(({ isLive }) => isLive);
    // Somebody has to be left to take the tasks over.
    if (live.length < (fault.kind === "in" ? 3 : 2)) return;
    const instance = live[fault.whom % live.length]!;
    say(`instance ${instance.number}: ${described(fault)}`);
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
    await this.#broker.remove();
  }

  async #restartBroker(downMs: number): Promise<void> {
    if (this.#isBrokerDown) return;
    this.#isBrokerDown = true;
    this.#options.say(described({ kind: "broker", downMs }));
    this.watch.hasBroker = false;
    await this.#broker.broker.stop("SIGKILL");
    await sleep(downMs);
    await this.#broker.broker.start();
    this.#options.say("the broker serves again");
    this.watch.hasBroker = true;
    this.#isBrokerDown = false;
  }

  async #scaleOut(keepsData: boolean): Promise<void> {
    if (this.#wanted.size >= INSTANCES_MAX) return;
    const former = this.#all.find((one) => !this.#wanted.has(one));
    this.#options.say(described({ kind: "out", keepsData }));
    if (former === undefined) return await this.#add();
    if (!keepsData) former.removeData();
    this.#wanted.add(former);
    former.start();
  }

  async #add(): Promise<void> {
    const { directory, sessionMs } = this.#options;
    const instance = new Instance({
      number: this.#all.length + 1,
      port: await freePort(),
      ...{ directory, sessionMs, brokers: this.brokers, ...this.#files },
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
    if (instance.hasAnswered || !this.#isBrokerDown) {
      const problem = `instance ${instance.number} has ended by itself (${how}):\n${instance.lastWords(5)}`;
      this.problems.push(problem);
      this.watch.fail(new Error(problem));
    }
    await sleep(AGAIN_MS);
    if (!this.#isEnding && this.#wanted.has(instance)) instance.start();
  }
}
