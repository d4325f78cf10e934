/** What a process that serves and the worker processes it has started say to each other. */
import type { EngineStatus, TaskStatus } from "../../api/engine.js";
import type { KafkaConfig } from "../../config/kafka.js";
import type { Config } from "../../config/run.js";
import type { ErrorCode } from "../../errors.js";
import type { Topology } from "../../topics/topology.js";

/** To a worker. */
export type ToWorker =
  | {
      readonly kind: "start";
      readonly worker: number;
      readonly config: Config;
      readonly cluster: KafkaConfig;
      readonly topology: Topology;
      /** In their canonical form: a worker that starts later must not have others, though the files may have changed; likewise its topics. */
      readonly models: readonly string[];
      /** What requests to the worker have to bring. */
      readonly token: string;
    }
  | { readonly kind: "metrics"; readonly request: number }
  | { readonly kind: "stop" };

/** From a worker. */
export type FromWorker =
  | { readonly kind: "up"; readonly url: string }
  | { readonly kind: "status"; readonly status: EngineStatus; readonly tasks: readonly TaskStatus[] }
  | { readonly kind: "metrics"; readonly request: number; readonly values: readonly object[] }
  /** It can go on; told now and then. */
  | { readonly kind: "alive" }
  /** `isFinal`: started again it would fail again, until a person does something. */
  | { readonly kind: "failed"; readonly message: string; readonly code: ErrorCode; readonly isFinal: boolean };
