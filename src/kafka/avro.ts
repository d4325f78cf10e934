/** Values in Avro, with the schemas of a registry. */
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
 * @throws ScorefoldError `schema-incompatible`, `registry-failed`
 */
export async function registeredAvro(
  settings: RegistrySettings,
  topics: OutputTopics,
  elapsed: () => number,
): Promise<Avro> {
  const registry = new SchemaRegistry(settings);
  return { values: new RegisteredValues(registry, elapsed), writer: await avroWriter(registry, topics) };
}
