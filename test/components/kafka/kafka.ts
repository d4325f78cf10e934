/**
 * A real Apache Kafka for tests: the one at SCOREFOLD_TEST_KAFKA, else one in Docker, else one from the jars that Apache
 * publishes, which Maven brings.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { type Component, Missing } from "../component.js";
import { broughtByMaven, firstOf, freePort } from "../local.js";
import { madeCertificates } from "./certificates.js";
import type { Listeners } from "./listeners.js";
import { Secured } from "./secured.js";

const run = promisify(execFile);
/** From the root of the project, where tests and the bench run: what is built of this file lies elsewhere. */
const POM = "test/components/kafka/pom.xml";
const VERSION = "4.2.0";
/** The Confluent Platform whose broker is that of Apache Kafka 4.1. */
const IMAGE = "confluentinc/cp-kafka:8.1.0";

export async function startKafka(): Promise<Component> {
  const address = process.env["SCOREFOLD_TEST_KAFKA"];
  if (address !== undefined) return { address, stop: async () => undefined };
  return await firstOf(
    "Kafka",
    ["SCOREFOLD_TEST_KAFKA is not set"],
    [
      ["Docker", inDocker],
      ["Maven", fromJars],
    ],
  );
}

async function inDocker(): Promise<Component> {
  // Loaded where it is asked for: most runs of tests need none of it.
  const [{ KafkaContainer }, { getContainerRuntimeClient }] = await Promise.all([
    import("@testcontainers/kafka"),
    import("testcontainers"),
  ]);
  await getContainerRuntimeClient().catch((error: unknown) => {
    throw new Missing(error instanceof Error ? error.message : String(error));
  });
  const container = await new KafkaContainer(IMAGE)
    .withEnvironment({
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
    })
    .start();
  const address = `${container.getHost()}:${container.getMappedPort(9093)}`;
  return { address, stop: async () => void (await container.stop()) };
}

/** The jars of the broker, which Kafka's own client is among. */
export async function kafkaJars(): Promise<Component> {
  return { address: await broughtJars(), stop: async () => undefined };
}

/**
 * A broker of its own on a directory of its own, for tests that end it and start it again; made, not started.
 *
 * @param more listeners beside the open one
 */
export async function ownBroker(
  jars: string,
  more: Listeners | null = null,
): Promise<{ broker: LocalBroker; remove: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), "scorefold-test-kafka-"));
  const broker = new LocalBroker(jars, directory, await freePort(), await freePort(), more);
  await broker.format();
  const remove = async (): Promise<void> => {
    await broker.stop("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  return { broker, remove };
}

async function fromJars(): Promise<Component> {
  const jars = await broughtJars();
  const directory = mkdtempSync(join(tmpdir(), "scorefold-test-kafka-"));
  const certificates = await madeCertificates(directory);
  const secured = certificates && new Secured(certificates, [await freePort(), await freePort(), await freePort()]);
  const broker = new LocalBroker(jars, directory, await freePort(), await freePort(), secured);
  await broker.format();
  await broker.start();
  return {
    address: broker.address,
    ...(secured !== null && { details: secured.details }),
    stop: async () => {
      await broker.stop("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

let brought: Promise<string> | undefined;

/** Brought once, whoever asks. */
async function broughtJars(): Promise<string> {
  brought ??= (async () => {
    await run("java", ["-version"]).catch(() => {
      throw new Missing("there is no java here");
    });
    return await broughtByMaven(`scorefold-test-kafka-${VERSION}`, POM, "copy-dependencies");
  })();
  return await brought;
}

/** A broker, controller and all, in one process on a directory. */
export class LocalBroker {
  readonly address: string;
  readonly #jars: string;
  readonly #directory: string;
  readonly #settings: string;
  readonly #more: Listeners | null;
  #process: ReturnType<typeof spawn> | null = null;

  /** @param more listeners beside the open one */
  constructor(jars: string, directory: string, port: number, controllerPort: number, more: Listeners | null = null) {
    this.#jars = jars;
    this.#more = more;
    this.#directory = directory;
    this.address = `127.0.0.1:${port}`;
    this.#settings = join(directory, "server.properties");
    const controller = `127.0.0.1:${controllerPort}`;
    const open = `PLAINTEXT://${this.address}`;
    const settings = {
      "process.roles": "broker,controller",
      "node.id": 1,
      "controller.quorum.voters": `1@${controller}`,
      listeners: [open, ...(more?.listeners ?? []), `CONTROLLER://${controller}`].join(","),
      "advertised.listeners": [open, ...(more?.advertised ?? [])].join(","),
      "controller.listener.names": "CONTROLLER",
      // Those of a security protocol are named after it.
      "listener.security.protocol.map":
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL",
      ...more?.settings,
      "log.dirs": join(directory, "data"),
      "offsets.topic.replication.factor": 1,
      "offsets.topic.num.partitions": 1,
      "transaction.state.log.replication.factor": 1,
      "transaction.state.log.min.isr": 1,
      "transaction.state.log.num.partitions": 4,
      "group.initial.rebalance.delay.ms": 0,
      "auto.create.topics.enable": false,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    writeFileSync(this.#settings, `${lines.join("\n")}\n`);
    writeFileSync(
      join(directory, "log4j2.yaml"),
      [
        "Configuration:",
        "  status: warn",
        "  Appenders:",
        "    Console:",
        "      name: C",
        '      PatternLayout: {pattern: "%d %p %c %m%n"}',
        "  Loggers:",
        "    Root: {level: warn, AppenderRef: [{ref: C}]}",
        "    Logger:",
        "      - {name: kafka.server.KafkaRaftServer, level: info}",
        "",
      ].join("\n"),
    );
  }

  /** Where it keeps a partition. */
  partitionPath(topic: string, partition: number): string {
    return join(this.#directory, "data", `${topic}-${partition}`);
  }

  async format(): Promise<void> {
    const tool = ["-Xmx128m", "-cp", `${this.#jars}/*`, "kafka.tools.StorageTool"];
    const { stdout } = await run("java", [...tool, "random-uuid"]);
    const id = stdout.trim().split("\n").at(-1)!;
    await run("java", [...tool, "format", "-t", id, "-c", this.#settings, ...(this.#more?.formatOptions ?? [])]);
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const options = ["-Xmx512m", `-Dlog4j2.configurationFile=${join(this.#directory, "log4j2.yaml")}`];
    const broker = spawn("java", [...options, "-cp", `${this.#jars}/*`, "kafka.Kafka", this.#settings], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#process = broker;
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      broker.once("exit", (code) => reject(new Error(`the broker has ended with ${code}:\n${said.join("\n")}`)));
      createInterface({ input: broker.stdout! }).on("line", (line) => {
        said.push(line);
        if (said.length > 100) said.shift();
        if (line.includes("Kafka Server started")) resolve();
      });
    });
  }

  /** It takes connections, and answers nothing. */
  fallSilent(): void {
    this.#process?.kill("SIGSTOP");
  }

  speakAgain(): void {
    this.#process?.kill("SIGCONT");
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const broker = this.#process;
    this.#process = null;
    if (broker === null || broker.exitCode !== null) return;
    const exit = once(broker, "exit");
    broker.kill(signal);
    await exit;
  }
}
