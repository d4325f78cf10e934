/** Values in Avro, with the schemas of a registry. */
import type { Waits } from "../stream/log.js";
import type { OutputTopics } from "./output-topics.js";
import { type RegistrySettings, SchemaRegistry } from "./registry.js";
import { avroWriter, type ValueWriter } from "./value-writer.js";
import { RegisteredValues, type ValueReader } from "./values.js";

export interface Avro {
  readonly values: ValueReader;
  readonly writer: ValueWriter;
}

/**
 * Registers the schemas of outputs, and reads values by what is registered.
 *
 * @param elapsed milliseconds, of a clock that only goes forward
 * @param waits told of the registry
 * @throws ScorefoldError `schema-incompatible`, `registry-failed`
 */
export async function registeredAvro(
  settings: RegistrySettings,
  topics: OutputTopics,
  elapsed: () => number,
  waits: Waits,
): Promise<Avro> {
  const registry = new SchemaRegistry(settings);
  const writer = await waits.during(registry.name, avroWriter(registry, topics));
  return { values: new RegisteredValues(registry, elapsed), writer };
}
