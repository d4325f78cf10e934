/** Starts an engine on a cluster, as `run` and its workers do. */
import { hostname } from "node:os";
import type { KafkaConfig } from "../../config/kafka.js";
import { type Config, taskLimitsOf } from "../../config/run.js";
import { DataDirectory } from "../../engine/directory.js";
import { KafkaEngine } from "../../engine/kafka-engine.js";
import type { CompiledModel } from "../../model/compile.js";
import { systemClock } from "../../stream/clock.js";
import type { Waits } from "../../stream/log.js";
import type { Logger } from "../../telemetry.js";
import type { Topology } from "../../topics/topology.js";
import { kafkaOf, registrySettings } from "../cluster.js";
import { topicsOf } from "../topics.js";

export interface ClusterStart {
  readonly config: Config;
  readonly cluster: KafkaConfig;
  readonly topology: Topology;
  readonly models: readonly CompiledModel[];
  readonly logger: Logger;
  /** Told of what the start waits for. */
  readonly waits: Waits;
}

/** Names this process to the brokers. */
export function clientId({ app }: KafkaConfig): string {
  return `${app}-${hostname()}-${process.pid}`;
}

export async function startOnCluster({
  config,
  cluster,
  topology,
  models,
  logger,
  waits,
}: ClusterStart): Promise<KafkaEngine> {
  const { app, partitioner, isHistoryLocal, sessionMs, commitIntervalMs, registry } = cluster;
  return await KafkaEngine.start({
    directory: await DataDirectory.open(config.data),
    kafka: await kafkaOf(cluster, clientId(cluster), logger),
    app,
    ...topicsOf(topology, cluster),
    registry: registry === null ? null : await registrySettings(registry),
    partitioner,
    isHistoryLocal,
    sessionMs,
    models,
    clock: systemClock,
    logger,
    waits,
    limits: { ...taskLimitsOf(config), commitIntervalMs },
  });
}
